/* Relay. Lists are walked from end to end: waiting-max bounds them, and next to a look-up over the network it is
 * nothing. */
#include "gateway/proc/relay_rcpts_turn.h"

#include <stdio.h>
#include <string.h>

static void link_in(struct relay_rcpts_place **at, struct relay_rcpts_place *p)
{
	p->next = *at;
	p->prev = at;
	if (p->next != NULL)
		p->next->prev = &p->next;
	*at = p;
}

static void unlink_from(struct relay_rcpts_place *p)
{
	*p->prev = p->next;
	if (p->next != NULL)
		p->next->prev = p->prev;
}

static size_t count(const struct relay_rcpts_place *p, const char *key)
{
	size_t n = 0;

	for (; p != NULL; p = p->next)
		n += strcmp(p->client, key) == 0;
	return n;
}

void relay_rcpts_turn_in(struct relay_rcpts_turn *t, struct relay_rcpts_place *p, const char *client, void *question)
{
	struct relay_rcpts_place **at = &t->waiting;

	p->question = question;
	p->asked = false;
	p->client[0] = '\0';
	if (client != NULL)
		smtpd_clients_key(client, p->client);
	while (*at != NULL)
		at = &(*at)->next;
	link_in(at, p);
}

struct relay_rcpts_place *relay_rcpts_turn_next(struct relay_rcpts_turn *t, size_t at_once)
{
	struct relay_rcpts_place *best = NULL;
	size_t least = 0;

	if (t->nasked >= at_once)
		return NULL;
	for (struct relay_rcpts_place *p = t->waiting; p != NULL && (best == NULL || least > 0); p = p->next) {
		size_t n = p->client[0] == '\0' ? 0 : count(t->asked, p->client);

		if (best == NULL || n < least) {
			best = p;
			least = n;
		}
	}
	if (best == NULL)
		return NULL;
	unlink_from(best);
	best->asked = true;
	link_in(&t->asked, best);
	t->nasked++;
	return best;
}

void relay_rcpts_turn_out(struct relay_rcpts_turn *t, struct relay_rcpts_place *p)
{
	unlink_from(p);
	t->nasked -= p->asked;
}

size_t relay_rcpts_turn_of(const struct relay_rcpts_turn *t, const char *client)
{
	char key[SMTPD_CLIENT_KEY];

	if (client == NULL)
		return 0;
	smtpd_clients_key(client, key);
	return count(t->waiting, key) + count(t->asked, key);
}
