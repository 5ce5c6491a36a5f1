/* The table of section "smtp-client". Role relay and whoever reads the configuration. Pure. */
#include "gateway/smtp/smtpc_settings.h"

#define S 1000LL
#define MIN (60 * S)
#define HOUR (60 * MIN)

#define MS(field, text, min_, max_, words_)                                                                          \
	.type = SETTING_DURATION, .offset = offsetof(struct smtpc_settings, field), .dflt = text, .min = min_,       \
	.max = max_, .help = words_
#define NUMBER(field, text, min_, max_, words_)                                                                      \
	.type = SETTING_INT, .offset = offsetof(struct smtpc_settings, field), .dflt = text, .min = min_,            \
	.max = max_, .help = words_

static const struct setting rows[] = {
    {.name = "connect-timeout",
	MS(connect_timeout, "30s", 1, HOUR, "How long to wait for a connection to one address.")},
    {.name = "greeting-timeout", MS(greeting_timeout, "5m", 1, HOUR, "How long to wait for the server's greeting.")},
    {.name = "ehlo-timeout", MS(ehlo_timeout, "5m", 1, HOUR, "How long to wait for the reply to EHLO or HELO.")},
    {.name = "tls-timeout",
	MS(tls_timeout, "2m", 1, HOUR, "How long STARTTLS and the TLS handshake may take, each.")},
    {.name = "mail-timeout", MS(mail_timeout, "5m", 1, HOUR, "How long to wait for the reply to MAIL.")},
    {.name = "rcpt-timeout", MS(rcpt_timeout, "5m", 1, HOUR, "How long to wait for the reply to each RCPT.")},
    {.name = "data-timeout", MS(data_timeout, "2m", 1, HOUR, "How long to wait for the reply to DATA.")},
    {.name = "block-timeout",
	MS(block_timeout, "3m", 1, HOUR, "How long the server may take to accept the next part of the content.")},
    {.name = "end-timeout",
	MS(end_timeout, "10m", 1, HOUR,
	    "How long to wait for the reply to the final dot; giving up too early means duplicates.")},
    {.name = "xsmg-timeout",
	MS(xsmg_timeout, "60s", 1, HOUR,
	    "How long to wait for the whole reply to each command of XSMG; the mail behind one that is not "
	    "answered is sent again without it.")},
    {.name = "quit-timeout", MS(quit_timeout, "5s", 1, HOUR, "How long a connection lingers after QUIT.")},
    {.name = "idle-time",
	MS(idle_time, "10s", 0, HOUR, "How long a connection is kept for the next mail; 0 closes it at once.")},
    {.name = "backoff-min",
	MS(backoff_min, "1m", 1, 24 * HOUR,
	    "How long a destination is left alone after its first failure; doubles.")},
    {.name = "backoff-max", MS(backoff_max, "1h", 1, 24 * HOUR, "The longest time a destination is left alone.")},
    {.name = "connections", NUMBER(connections, "20", 1, 1000, "Most connections to one destination.")},
    {.name = "first-connections",
	NUMBER(first_connections, "2", 1, 1000,
	    "Connections to a destination to begin with; grows with success up to connections.")},
    {.name = "connections-total", NUMBER(connections_total, "500", 1, 100000, "Most connections in all.")},
    {.name = "messages-per-connection",
	NUMBER(messages, "100", 1, 1000000, "Mails over one connection before it is closed.")},
    {.name = "recipients-per-message",
	NUMBER(recipients, "100", 1, 1000, "Recipients in one transaction; more are sent in further ones.")},
    {.name = "attempts",
	NUMBER(attempts, "8", 1, 128, "Addresses of a destination tried one after the other before the mail waits.")},
    {.name = "reply-line", NUMBER(reply_line, "2048", 512, 8192, "Longest reply line accepted, in octets.")},
    {.name = "reply-lines", NUMBER(reply_lines, "100", 10, 1000, "Most lines of one reply accepted.")},
    {.name = "assume-8bit",
	.type = SETTING_BOOL,
	.offset = offsetof(struct smtpc_settings, assume_8bit),
	.dflt = "no",
	.help = "Send 8-bit content as it is also to servers that do not offer 8BITMIME."},
    {.name = "convert-8bit",
	.type = SETTING_BOOL,
	.offset = offsetof(struct smtpc_settings, convert_8bit),
	.dflt = "yes",
	.help = "Convert 8-bit content that is not sealed to 7 bits for servers that do not offer 8BITMIME (a "
		"sealing process "
		"does it); otherwise, and where a part is signed, such mail is returned with 5.6.3."},
    {.name = "convert-max",
	.type = SETTING_SIZE,
	.offset = offsetof(struct smtpc_settings, convert_max),
	.dflt = "32M",
	.min = 64 * 1024,
	.max = 1024LL * 1024 * 1024,
	.help = "Largest mail that convert-8bit converts."},
    {.name = "chunking",
	.type = SETTING_BOOL,
	.offset = offsetof(struct smtpc_settings, chunking),
	.dflt = "yes",
	.help = "Send content with BDAT (RFC 3030) to servers that offer CHUNKING and PIPELINING."},
};

const struct settings_section smtpc_settings_section = {
    .name = "smtp-client",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct smtpc_settings),
};
