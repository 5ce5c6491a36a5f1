/* What people read: sentences, labelled values, wrapped text. Control characters from outside never reach the
 * terminal. */
#ifndef POSTERN_ADMIN_UI_CLI_OUT_H
#define POSTERN_ADMIN_UI_CLI_OUT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "admin-ui/cli.h"

enum { CLI_OUT_COLUMNS = 80 };

/* Once, at the start. */
void cli_out_init(void);
/* s without what could drive a terminal or turn the text's direction ('?' instead); free. */
char *cli_out_clean(const char *s);
/* Columns on the terminal. */
size_t cli_out_width(const char *s);
/* How many octets of s fit into so many columns. */
size_t cli_out_fit(const char *s, size_t columns);

/* "postern: SENTENCE" on stderr; returns CLI_FAILED. */
int cli_out_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A sentence on stderr that changes nothing. */
void cli_out_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A line on stdout. */
void cli_out_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Text on stdout, broken at blanks: first after `lead`, further lines indented by `indent`. */
void cli_out_wrap(const char *lead, size_t indent, const char *text);
/* "Label:       value", wrapped; nothing when the value is empty. */
void cli_out_field(const char *label, const char *value);
/* Each text of an array of strings as a wrapped line behind lead. */
void cli_out_list(const char *lead, const json_t *array);
/* With --json prints the data as JSON; returns 1 when it did. */
int cli_out_json(const struct cli *c, const json_t *data);

/* "2026-11-22" of "2026-11-22T02:05:19Z"; "never" of "". out has 11 octets. */
const char *cli_out_day(const char *iso, char out[11]);
/* "2026-11-22 02:05" */
const char *cli_out_minute(const char *iso, char out[17]);
const char *cli_out_minute_ms(int64_t unix_ms, char out[17]);
/* "12 KiB" */
const char *cli_out_size(int64_t octets, char out[16]);
/* "3 h", "5 min" */
const char *cli_out_span(int64_t seconds, char out[16]);

#endif
