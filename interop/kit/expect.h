/* What a case expects of a message that came (CASES.md, "Expectations"): each becomes a finding. CMS facts are judged
 * by OpenSSL and by the second judge. */
#ifndef INTEROP_EXPECT_H
#define INTEROP_EXPECT_H

#include "interop/kit/scene.h"
#include "interop/kit/sink.h"

/* All statements below await, about this message. sent: what was submitted (for body-is sent), or NULL. */
void expect_message(struct scene *s, const struct stmt *await, const struct mail *m, const struct buf *sent);
/* What an outside message is: "sealed" (encrypted outermost, opens with a credential of this case's domain, signed
 * inside or not), "signed" (valid signature of the gateway), or "clear"; a broken one is "broken". */
const char *expect_kind(struct scene *s, const struct mail *m);
/* The mark that the gateway gave (kit.conf). */
enum mark expect_mark(struct scene *s, const struct mail *m);
/* -1 with a finding (not run): kit.conf does not say how the gateway marks what it trusts, so that it did not cannot
 * be seen. */
int expect_marks(struct scene *s, int line);
/* For `check`: is this a known expectation, with the words it needs? 0 or -1 with why. */
int expect_check(const struct stmt *s, struct buf *why);

#endif
