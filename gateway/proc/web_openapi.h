/* The OpenAPI 3.1 description of the HTTP interface, made from the table of routes: it cannot say anything else than
 * what is served. Role web; pure. */
#ifndef POSTERN_PROC_WEB_OPENAPI_H
#define POSTERN_PROC_WEB_OPENAPI_H

#include <jansson.h>

/* json_decref; never NULL. */
json_t *web_openapi(void);

#endif
