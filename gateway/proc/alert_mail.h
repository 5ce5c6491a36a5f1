/* The text of a mail that tells the admin of alerts. Pure. */
#ifndef POSTERN_PROC_ALERT_MAIL_H
#define POSTERN_PROC_ALERT_MAIL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/base/settings.h"

enum { ALERT_MAIL_MAX = 1024 * 1024 };

struct alert_mail {
	const char *hostname, *from, *message_id;
	const struct settings_list *to;
	const json_t *alerts; /* alert_list.h */
	bool digest;
	int64_t now; /* unix s */
};
/* RFC 5322 with RFC 3834 (Auto-Submitted), the text in base64: no octet of it can be a line of the header or end the
 * message. The Subject has our own words alone. b has room for ALERT_MAIL_MAX. */
void alert_mail_write(const struct alert_mail *m, struct buf *b);

#endif
