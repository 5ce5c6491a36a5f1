/*
 * One pass over a message and its MIME tree. Its struct mime_facts and mime_facts() stand in mime.h, with the limits
 * and types they share. Pure.
 */
#ifndef POSTERN_MAIL_MIME_FACTS_H
#define POSTERN_MAIL_MIME_FACTS_H

#include "gateway/mail/mime.h"

/* Types and names that more than this pass goes by: a message/rfc822 or message/global in no encoding, whose body is
 * a message again. */
bool mime_facts_holds_message(const struct mime_entity *e);

#endif
