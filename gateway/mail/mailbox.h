/*
 * Lists of mailboxes in header fields (RFC 5322 3.4): display names, comments, groups. Pure.
 */
#ifndef POSTERN_MAIL_MAILBOX_H
#define POSTERN_MAIL_MAILBOX_H

#include <stddef.h>

#include "gateway/base/problem.h"
#include "gateway/mail/address.h"

enum mailbox_rule {
	MAILBOX_AUTHOR,	   /* who wrote it: refuses whatever a second reader could understand otherwise */
	MAILBOX_RECIPIENTS /* groups, empty elements and odd display names are let through */
};
/* Reads the value of a From, To, Cc, Sender or Reply-To field (folding kept). `name` is the field's, for the text.
 * Fills at most max addresses; more is an error. An addr-spec is taken only as RFC 5321 writes it: no blanks,
 * comments, routes or encoded words in it. 0, or -1 with pr (554 5.6.0). */
int mailbox_list(const char *name, const char *p, size_t n, enum mailbox_rule rule, struct address *list, size_t max,
    size_t *n_r, struct problem *pr) __attribute__((warn_unused_result));

#endif
