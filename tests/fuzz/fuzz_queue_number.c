/* Ids typed by an admin, and names of files found in the spool directory. */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/queue/queue_number.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *text = malloc(n + 1), back[QUEUE_NUMBER_TEXT + 1];
	int64_t number;

	REQUIRE(text);
	memcpy(text, p, n);
	text[n] = 0;
	if (queue_number_parse(text, &number) == 0) {
		queue_number_text(number, back, sizeof back);
		REQUIRE(strcmp(back, text) == 0);
	}
	free(text);
	return 0;
}
