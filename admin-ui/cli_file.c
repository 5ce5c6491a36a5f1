/* Files an admin names on the command line. */
#include "admin-ui/cli_file.h"

#include <string.h>
#include <unistd.h>

#include "admin-ui/cli_out.h"
#include "gateway/base/encode.h"
#include "gateway/base/file.h"
#include "gateway/base/mem.h"

json_t *cli_file_b64_of(const void *p, size_t n)
{
	size_t cap = 4 * ((n + 2) / 3) + 1;
	char *text = mem_new(cap);
	json_t *v;

	(void)encode_b64(p, n, text);
	v = json_string(text);
	mem_free_secret(text, cap);
	return v;
}

json_t *cli_file_b64(const char *path, size_t max)
{
	struct problem pr = {0};
	json_t *v = NULL;
	struct buf b;
	int err;

	buf_init(&b, max);
	err = strcmp(path, "-") == 0 ? file_read_fd(STDIN_FILENO, &b, &pr) : file_read(path, &b, &pr);
	if (err != 0)
		(void)cli_out_fail("%s", pr.text);
	else if (b.len == 0)
		(void)cli_out_fail("%s is empty", path);
	else
		v = cli_file_b64_of(b.p, b.len);
	buf_clear(&b);
	return v;
}

int cli_file_write(const char *path, const char *text)
{
	struct problem pr = {0};

	if (file_write(path, text, strlen(text), 0644, &pr) != 0)
		return cli_out_fail("%s", pr.text);
	return CLI_OK;
}
