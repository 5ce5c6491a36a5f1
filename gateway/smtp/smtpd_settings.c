/* The table of section "smtp-server". The defaults follow RFC 5321 4.5.3 where it has a number. */
#include "gateway/smtp/smtpd_settings.h"

#define AT(field) offsetof(struct smtpd_settings, field)
#define COUNT(n, f, d, lo, hi, h)                                                                                    \
	{                                                                                                            \
		.name = n, .type = SETTING_INT, .offset = AT(f), .dflt = d, .min = lo, .max = hi, .help = h          \
	}
#define OCTETS(n, f, d, lo, hi, h)                                                                                   \
	{                                                                                                            \
		.name = n, .type = SETTING_SIZE, .offset = AT(f), .dflt = d, .min = lo, .max = hi, .help = h         \
	}
#define TIME(n, f, d, lo, hi, h)                                                                                     \
	{                                                                                                            \
		.name = n, .type = SETTING_DURATION, .offset = AT(f), .dflt = d, .min = lo, .max = hi, .help = h     \
	}

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define KIB INT64_C(1024)
#define MIB (1024 * KIB)

/* clang-format off */
static const struct setting rows[] = {
    OCTETS("command-line-max", command_line_max, "2048", 512, 16 * KIB,
	"Longest command line with its CRLF; longer ones are answered 500."),
    /* RFC 5322 2.1.1 says 998, but real mail has longer lines and the sealer puts them in order before it signs: only absurd ones are refused. */
    OCTETS("text-line-max", text_line_max, "64k", 998, 16 * MIB,
	"Longest line of a message; a message with a longer one is refused with 5.6.0."),
    COUNT("recipients-max", recipients_max, "1000", 100, 1000,
	"Accepted recipients of one message, whose addresses may have 16 KiB together; further ones are answered 452 "
	"4.5.3, and clients send them the message by itself."),
    COUNT("errors-max", errors_max, "10", 1, 1000,
	"Wrong commands until the session is ended with 421 4.7.0; an accepted message forgets them."),
    COUNT("commands-max", commands_max, "3000", 100, 1000000,
	"Commands without an accepted message until the session is ended with 421 4.7.0."),
    OCTETS("message-max", message_max, "50M", 64 * KIB, 4096 * MIB,
	"Largest message, announced as SIZE; larger ones are refused with 552 5.3.4."),
    TIME("command-timeout", command_timeout, "5m", SECOND, HOUR,
	"How long a client may take to send a whole command."),
    TIME("tls-timeout", tls_timeout, "1m", SECOND, HOUR,
	"How long the TLS handshake may take."),
    TIME("answer-deadline", answer_deadline, "4m", SECOND, HOUR,
	"How long the decision on a sender or recipient may take here until the session is ended with 421 4.3.0."),
    TIME("data-timeout", data_timeout, "3m", SECOND, HOUR,
	"How long a client may pause inside a message."),
    OCTETS("data-rate-min", data_rate_min, "1k", 0, 16 * MIB,
	"Octets a second a client must reach inside a message, counted after the first data-timeout; 0 is none."),
    TIME("data-deadline", data_deadline, "2h", SECOND, 24 * HOUR,
	"How long a message may take to come in altogether."),
    /* Promise: no answer later than a minute after the final dot, so that no client gives up and sends the message twice (RFC 1047). */
    TIME("end-deadline", end_deadline, "60s", SECOND, MINUTE,
	"How long a whole message may wait for its decision here until it is answered 451 4.3.0."),
    TIME("session-max", session_max, "24h", MINUTE, 7 * 24 * HOUR,
	"How long a session may last; ended with 421 4.3.2 between two messages."),
    COUNT("received-max", received_max, "50", 5, 1000,
	"Received fields a message may have; one with more goes round in a circle and is refused with 5.4.6."),
    COUNT("own-received-max", own_received_max, "3", 1, 1000,
	"Received fields with our own host name a message may have; one with more is refused with 5.4.6."),
    TIME("busy-timeout", busy_timeout, "30s", SECOND, HOUR,
	"While three quarters of sessions-max are in use: how long a client may go on without beginning to send a message; also the longest pause inside one."),
    TIME("greeting-delay", greeting_delay, "0ms", 0, MINUTE,
	"How long clients outside wait for our greeting; one that speaks before it is answered 554 5.5.1. 0: only what is there already is looked at."),
    TIME("proxy-timeout", proxy_timeout, "5s", 100, MINUTE,
	"How long a balancer of proxy-from may take to send its PROXY header."),
    COUNT("clients-max", clients_max, "50000", 16, 10000000,
	"Client addresses (IPv6: networks of 64 bits) whose rates are remembered."),
    COUNT("client-sessions-rate", client_sessions_rate, "600", 0, 1000000,
	"Sessions a minute of one client outside; more are answered 421 4.7.0; 0 is no limit."),
    COUNT("client-recipients-rate", client_recipients_rate, "6000", 0, 10000000,
	"Recipients a minute of one client outside; more are answered 450 4.7.1; 0 is no limit."),
    COUNT("client-errors-rate", client_errors_rate, "300", 0, 1000000,
	"Wrong commands and refused recipients a minute of one client outside; more end its sessions with 421 4.7.0; 0 is no limit."),
    COUNT("client-xsmg-rate", client_xsmg_rate, "20", 0, 1000000,
	"Commands of XSMG a minute of one client outside; more are answered 450 4.7.1; 0 is no limit."),
    COUNT("client-xsmg-domain-rate", client_xsmg_domain_rate, "4", 0, 1000000,
	"The same with one domain in them."),
    COUNT("xsmg-put-rate", xsmg_put_rate, "600", 0, 1000000,
	"Statements a minute that all clients together may hand over with XSMG PUT; more are answered 451 4.3.0; 0 is no limit."),
    COUNT("xsmg-puts", xsmg_puts, "64", 1, 10000,
	"Statements that clients may be sending at the same time (each holds up to 88 KiB); more are answered 451 4.3.0."),
    TIME("xsmg-deadline", xsmg_deadline, "25s", 100, 30 * SECOND,
	"How long the answer to a command of XSMG may take here until it is 451 4.3.0."),
    TIME("xsmg-timeout", xsmg_timeout, "60s", SECOND, HOUR,
	"How long a client may take to send the statement that it announced with XSMG PUT."),
};
/* clang-format on */

const struct settings_section smtpd_settings_section = {
    .name = "smtp-server",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct smtpd_settings),
};
