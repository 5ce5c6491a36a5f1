/*
 * A recipient-map: the recipients of our domains as a text file says them. One entry a line:
 *
 *	anna			this local part, in each domain that uses the file
 *	anna@hospital.example	this address
 *	shop-*			every local part that begins so; a lone * every one
 *	@hospital.example	every local part of this domain
 *	!joe			refused, although a wildcard would let it in
 *	# words, empty lines	nothing
 *
 * Local parts are compared without regard to ASCII case. The most exact entry decides: the address, the local part,
 * the same two without the tag ("anna+shop"), then wildcards, the longest first. Parent (to check the file) and
 *relay. No I/O.
 */
#ifndef POSTERN_PROC_RELAY_RCPTS_MAP_H
#define POSTERN_PROC_RELAY_RCPTS_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/problem.h"

struct relay_rcpts_map;
/* file only names it in messages. 0 and *m_r (relay_rcpts_map_free), or -1 with "FILE:LINE: ..." in pr: the first
 * line that is no entry, or that says the opposite of an earlier one. Text of 4 GiB and more is refused. */
int relay_rcpts_map_parse(const char *file, const char *text, size_t n, struct relay_rcpts_map **m_r,
    struct problem *pr) __attribute__((warn_unused_result));
void relay_rcpts_map_free(struct relay_rcpts_map *m);
/* local in lower case, as meant (no quotes); base: without its tag, NULL when there is none. Is there such a
 * recipient? *line_r: of the entry that decided, 0 when none did. */
bool relay_rcpts_map_find(
    const struct relay_rcpts_map *m, const char *local, const char *base, const char *domain, unsigned *line_r);
size_t relay_rcpts_map_entries(const struct relay_rcpts_map *m);

#endif
