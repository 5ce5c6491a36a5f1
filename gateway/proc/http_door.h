/*
 * The door of an HTTP listener: it takes connections, hands those that public_gate lets in to libmicrohttpd, ends
 * those that last too long, and tells the log of those that it turned away. Roles public and web; the loop's thread,
 * but for what libmicrohttpd calls.
 */
#ifndef POSTERN_PROC_HTTP_DOOR_H
#define POSTERN_PROC_HTTP_DOOR_H

#include <microhttpd.h>
#include <stdarg.h>

#include "gateway/base/loop.h"
#include "gateway/proc/public_settings.h"

struct http_door;
/* fd: listening, the door's own from now on. who: the role, which is its section's name too. who and set stay. Never
 * NULL; nothing is taken before http_door_open. */
struct http_door *http_door_new(struct loop *l, int fd, const char *who, const struct public_settings *set);
/* daemon: made with the two functions below. after, which may be NULL, follows whenever connections were handed over.
 */
void http_door_open(struct http_door *d, struct MHD_Daemon *daemon, void (*after)(void *ctx), void *ctx);
/* Takes no more; before MHD_stop_daemon. */
void http_door_close(struct http_door *d);
/* After MHD_stop_daemon. */
void http_door_free(struct http_door *d);

/* For MHD_OPTION_NOTIFY_CONNECTION and MHD_OPTION_EXTERNAL_LOGGER; ctx: the door. Any thread. What clients do wrong
 * is theirs: seen with log-level = debug. */
void http_door_notice(void *ctx, struct MHD_Connection *c, void **state, enum MHD_ConnectionNotificationCode what);
void http_door_tell(void *ctx, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

#endif
