/* Certificates and other facts as the gateway describes them, for people. */
#ifndef POSTERN_ADMIN_UI_CLI_SHOW_H
#define POSTERN_ADMIN_UI_CLI_SHOW_H

#include <jansson.h>

/* Everything about one certificate ("facts"), with the fingerprint in groups to compare by phone. */
void cli_show_cert(const json_t *facts);
/* "2026-01-01 to 2027-01-01" or, when it is not valid now, with the state. out has 64 octets. */
const char *cli_show_validity(const json_t *facts, char out[64]);
/* "encrypt, sign": what it is good for now, "nothing" when neither. For rows of cert.list. */
const char *cli_show_good_for(const json_t *row);
/* The common name of a subject, or all of it. out has 128 octets. */
const char *cli_show_name(const char *subject, char out[128]);
/* The table of partners' certificates and that of anchors. */
void cli_show_certs(const json_t *rows);
void cli_show_anchors(const json_t *rows);

#endif
