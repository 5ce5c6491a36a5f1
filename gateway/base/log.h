/*
 * One line an event: `queue-id component event key=value ...` on descriptor 2 (journal or file of the parent's
 * choice), one write(2) a line. Every process. Never message content or secrets; what is not printable is written as
 * \xHH (control octets, what is no UTF-8, characters that are not seen or change the direction). In what the format
 * puts between double quotes or angle brackets, those that would end it are written as ' and \x3e. Formats have %s
 * (with a precision), %d, %u, %x (0, l, ll, z) and %%; of one with more only the format is written.
 */
#ifndef POSTERN_BASE_LOG_H
#define POSTERN_BASE_LOG_H

#include <stdarg.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* role stands in front of each line ("relay[123]"). Levels above `most` are dropped. */
void log_init(const char *role, enum log_level most);
/* id: queue or session id, NULL for none ("-"). fmt gives `event key=value ...`. */
void log_error(const char *id, const char *component, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void log_warn(const char *id, const char *component, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void log_info(const char *id, const char *component, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void log_debug(const char *id, const char *component, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A bug of ours: logs file and line and aborts. */
#define log_panic(...) log_panic_at(__FILE__, __LINE__, __VA_ARGS__)
void log_panic_at(const char *file, int line, const char *fmt, ...) __attribute__((format(printf, 3, 4), noreturn));
/* This process cannot go on (out of memory, a broken channel of ours, a failed fsync): logs and exits 75; the parent
 * restarts it. */
void log_fatal(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* An assertion that is always on. */
#define REQUIRE(x)                                                                                                   \
	do {                                                                                                         \
		if (!(x))                                                                                            \
			log_panic("required: %s", #x);                                                               \
	} while (0)

#endif
