/* Section "smtp-server" of the configuration: the limits of an SMTP server session. Filled by gateway/base/settings.
 * Every process that reads the file. */
#ifndef POSTERN_SMTP_SMTPD_SETTINGS_H
#define POSTERN_SMTP_SMTPD_SETTINGS_H

#include "gateway/base/settings.h"

/* Sizes in octets, times in milliseconds. What each one means stands in the table's help. */
struct smtpd_settings {
	int64_t command_line_max;
	int64_t text_line_max;
	int64_t recipients_max;
	int64_t errors_max;
	int64_t commands_max;
	int64_t message_max;
	int64_t command_timeout;
	int64_t tls_timeout;
	int64_t answer_deadline;
	int64_t data_timeout;
	int64_t data_rate_min;
	int64_t data_deadline;
	int64_t end_deadline;
	int64_t session_max;
	int64_t received_max;
	int64_t own_received_max;
	int64_t busy_timeout;
	int64_t greeting_delay;
	int64_t proxy_timeout;
	int64_t clients_max;
	int64_t client_sessions_rate;
	int64_t client_recipients_rate;
	int64_t client_errors_rate;
	int64_t client_xsmg_rate;
	int64_t client_xsmg_domain_rate;
	int64_t xsmg_put_rate;
	int64_t xsmg_puts;
	int64_t xsmg_deadline;
	int64_t xsmg_timeout;
};

extern const struct settings_section smtpd_settings_section;

#endif
