/* Events as they are stored: whatever stands there is read without harm, and what was written is read back as so many
 * events, whatever the outside said in their texts. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/queue/history_way.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_and_read(const char *text, size_t times)
{
	struct history_item it = {
	    .at = 5, .n = {.event = "delivered", .id = "0KX3M9QZ41", .row = 7, .text = text, .remote = text}};
	struct buf way;
	json_t *list;

	buf_init(&way, HISTORY_WAY_MAX);
	for (size_t i = 0; i < times; i++)
		history_way_add(&way, &it);
	list = history_way_json((const char *)way.p, way.len);
	REQUIRE(json_array_size(list) == times);
	json_decref(list);
	buf_clear_public(&way);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *p = malloc(size + 1); /* its own block */
	json_t *list;

	memcpy(p, data, size);
	list = history_way_json(p, size);
	REQUIRE(list != NULL && json_array_size(list) <= size);
	json_decref(list);
	p[size] = 0;
	if (size <= HISTORY_TEXT_MAX)
		write_and_read(p, 3);
	free(p);
	return 0;
}
