/*
 * Does the name beside the author's address show another address? "ceo@bank.test" <x@evil.test>: RFC 5322 says that
 * evil.test wrote it, and many a mail program shows the bank. Pure; sealer. The binding of a signature goes by the
 * address alone (header_author); this is for the words said about it.
 */
#ifndef POSTERN_MAIL_AUTHOR_NAME_H
#define POSTERN_MAIL_AUTHOR_NAME_H

#include <stdbool.h>

#include "gateway/mail/header.h"

/* True with the first such address, reduced to ASCII as it looks, in other_r. Encoded words are read. */
bool author_name_other(
    struct arena *a, const struct header_field *from, const struct address *author, char other_r[ADDRESS_TEXT_MAX]);

#endif
