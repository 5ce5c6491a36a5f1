/* The schemas, see the header: a file of data within the program. */
#include "gateway/proc/web_answers.h"

#include "gateway/base/log.h"

/* the octets, with a label at each end */
__asm__(".pushsection .rodata\n"
	"web_answers_text:\n"
	".incbin \"gateway/proc/web_answers.json\"\n"
	"web_answers_end:\n"
	".byte 0\n"
	".popsection\n");
extern const char web_answers_text[], web_answers_end[];

json_t *web_answers(void)
{
	json_t *o =
	    json_loadb(web_answers_text, (size_t)(web_answers_end - web_answers_text), JSON_REJECT_DUPLICATES, NULL);

	REQUIRE(json_is_object(o)); /* a test reads it */
	return o;
}

bool web_answers_have(const char *verb)
{
	static json_t *all;

	if (!all)
		all = web_answers();
	return json_object_get(all, verb) != NULL;
}
