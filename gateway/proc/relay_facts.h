/*
 * What is remembered with a raw message for its opening: JSON in the queue's `facts`. Loop thread.
 */
#ifndef POSTERN_PROC_RELAY_FACTS_H
#define POSTERN_PROC_RELAY_FACTS_H

#include <stdbool.h>
#include <stdint.h>

struct relay_facts {
	char client[64];
	bool have_key_hash;
	uint8_t key_hash[32];
};
/* malloc'd JSON text. */
char *relay_facts_text(const struct relay_facts *f);
/* Unknown or damaged text gives empty facts. */
void relay_facts_parse(const char *text, struct relay_facts *f_r);

#endif
