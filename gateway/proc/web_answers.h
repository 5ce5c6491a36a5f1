/* What the routes of web_route.c answer with: JSON schemas by the verb, and parts that several have
 * (web_answers.json), as the components of the OpenAPI document. Role web; pure. */
#ifndef POSTERN_PROC_WEB_ANSWERS_H
#define POSTERN_PROC_WEB_ANSWERS_H

#include <jansson.h>
#include <stdbool.h>

/* All of them, a new object: name -> schema. json_decref. */
json_t *web_answers(void);
/* There is one of that verb. */
bool web_answers_have(const char *verb);
/* Of the answer 202, when a change waits for a second person. */
#define WEB_ANSWERS_PROPOSED "proposed"

#endif
