/* Notes: copying. relay. */
#include "gateway/queue/history_item.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/mem.h"

#define NOTE(field) offsetof(struct history_note, field)
#define RCPT(field) offsetof(struct history_rcpt, field)

static const size_t note_texts[] = {NOTE(event), NOTE(id), NOTE(parent), NOTE(text), NOTE(remote), NOTE(tls_out),
    NOTE(status), NOTE(sender), NOTE(message_id), NOTE(client), NOTE(helo), NOTE(tls_in), NOTE(judged), NOTE(trace)};
static const size_t rcpt_texts[] = {
    RCPT(address), RCPT(treatment), RCPT(reason), RCPT(rule), RCPT(partner), RCPT(certs), RCPT(signed_by)};
enum { NOTE_TEXTS = sizeof note_texts / sizeof note_texts[0], RCPT_TEXTS = sizeof rcpt_texts / sizeof rcpt_texts[0] };

static const char *get(const void *of, size_t offset)
{
	const char *s;

	memcpy(&s, (const char *)of + offset, sizeof s);
	return s;
}

/* At a character's beginning when it is cut. */
static size_t length(const char *s)
{
	size_t n = s ? strnlen(s, HISTORY_TEXT_MAX + 1) : 0;

	if (n <= HISTORY_TEXT_MAX)
		return n;
	n = HISTORY_TEXT_MAX;
	while (n && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static size_t weigh(const void *of, const size_t *offsets, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		if (get(of, offsets[i]))
			sum += length(get(of, offsets[i])) + 1;
	return sum;
}

static char *copy_one(const char *s, const char **at, char *p)
{
	size_t n = length(s);

	memcpy(p, s, n);
	p[n] = 0;
	*at = p;
	return p + n + 1;
}

static char *copy(void *of, const size_t *offsets, size_t n, char *p)
{
	for (size_t i = 0; i < n; i++) {
		const char *s = get(of, offsets[i]), *kept;

		if (!s)
			continue;
		p = copy_one(s, &kept, p);
		memcpy((char *)of + offsets[i], &kept, sizeof kept);
	}
	return p;
}

struct history_item *history_item_make(
    const struct history_note *n, enum history_verb verb, const char *address, int64_t now_ms)
{
	size_t size = sizeof(struct history_item) + n->nrcpts * sizeof *n->rcpts + weigh(n, note_texts, NOTE_TEXTS) +
		      (address ? length(address) + 1 : 0);

	for (size_t i = 0; i < n->nrcpts; i++)
		size += weigh(&n->rcpts[i], rcpt_texts, RCPT_TEXTS);

	struct history_item *it = mem_raw(size);
	struct history_rcpt *v = (struct history_rcpt *)(it + 1);
	char *p = (char *)(v + n->nrcpts);

	*it = (struct history_item){.at = now_ms, .verb = verb, .octets = size, .n = *n};
	p = copy(&it->n, note_texts, NOTE_TEXTS, p);
	if (n->nrcpts)
		memcpy(v, n->rcpts, n->nrcpts * sizeof *v);
	it->n.rcpts = v;
	for (size_t i = 0; i < n->nrcpts; i++)
		p = copy(&v[i], rcpt_texts, RCPT_TEXTS, p);
	if (address)
		(void)copy_one(address, &it->address, p);
	return it;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

void history_item_add(struct history_item **list, const struct history_note *n)
{
	struct history_item *it = history_item_make(n, HISTORY_VERB_NONE, NULL, now_ms());

	if (*list)
		(*list)->last->next = it;
	else
		*list = it;
	(*list)->last = it;
}

void history_item_free(struct history_item *it)
{
	for (struct history_item *next; it; it = next) {
		next = it->next;
		free(it);
	}
}
