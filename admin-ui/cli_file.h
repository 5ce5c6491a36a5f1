/* Files an admin names on the command line. Blocks. */
#ifndef POSTERN_ADMIN_UI_CLI_FILE_H
#define POSTERN_ADMIN_UI_CLI_FILE_H

#include <jansson.h>
#include <stddef.h>

/* Reads a file ("-": stdin) and gives its octets as base64. NULL after a sentence on stderr. */
json_t *cli_file_b64(const char *path, size_t max);
/* Octets as base64; wiped when freed, if cli_call_init was called. */
json_t *cli_file_b64_of(const void *p, size_t n);
/* Writes text durably; 0, or CLI_FAILED after a sentence. */
int cli_file_write(const char *path, const char *text);

#endif
