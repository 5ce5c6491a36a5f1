/*
 * Networks that came to the public listener before, in calm: an IPv4 network of 24 bits, or an IPv6 one of 48. A
 * flood from many networks is new; partners come every day. So one is a regular an hour after it was first seen, and
 * until it was not seen for eight days. In memory of fixed size: a regular gives way to nobody. Role public; the
 * gate's lock.
 */
#ifndef POSTERN_PROC_PUBLIC_REGULARS_H
#define POSTERN_PROC_PUBLIC_REGULARS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { PUBLIC_REGULARS = 4096, PUBLIC_REGULAR_AFTER_S = 3600, PUBLIC_REGULAR_KEEP_S = 8 * 86400 };

struct public_regulars;
/* Never NULL. */
struct public_regulars *public_regulars_new(void);
void public_regulars_free(struct public_regulars *r);
/* now: loop_now_ms. */
void public_regulars_seen(struct public_regulars *r, const struct sockaddr *sa, int64_t now);
bool public_regulars_is(const struct public_regulars *r, const struct sockaddr *sa, int64_t now);

#endif
