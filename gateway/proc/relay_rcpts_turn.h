/*
 * Whose question about a recipient is asked next: a source has a few questions at once, the others stand here, where
 * they can be given up at no cost. The next one is the first of the client of which the fewest are being asked, so
 * that one that asks for many made-up addresses gets in nobody's way but its own. Pure. Relay.
 */
#ifndef POSTERN_PROC_RELAY_RCPTS_TURN_H
#define POSTERN_PROC_RELAY_RCPTS_TURN_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/smtp/smtpd_clients.h"

/* Of a question, which owns it. */
struct relay_rcpts_place {
	struct relay_rcpts_place *next, **prev;
	void *question;
	bool asked;
	char client[SMTPD_CLIENT_KEY]; /* who asked first; "": nobody is counted */
};
/* Of a source. Zeroes are empty. */
struct relay_rcpts_turn {
	struct relay_rcpts_place *waiting, *asked;
	size_t nasked;
};

/* Behind all others that wait. client: as smtpd_client() writes it, or NULL. */
void relay_rcpts_turn_in(struct relay_rcpts_turn *t, struct relay_rcpts_place *p, const char *client, void *question);
/* The one to be asked now, which from here on is, or NULL: none waits, or at_once are being asked. */
struct relay_rcpts_place *relay_rcpts_turn_next(struct relay_rcpts_turn *t, size_t at_once);
/* Answered or given up. */
void relay_rcpts_turn_out(struct relay_rcpts_turn *t, struct relay_rcpts_place *p);
/* Those of this client, waiting and being asked; 0 for NULL. */
size_t relay_rcpts_turn_of(const struct relay_rcpts_turn *t, const char *client);

#endif
