/* Questions to whoever sits at the terminal. */
#include "admin-ui/cli_ask.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "admin-ui/cli_out.h"
#include "gateway/base/file.h"
#include "gateway/base/mem.h"

int cli_ask_yes(const struct cli *c, const char *question)
{
	char line[64];

	if (cli_args_has(&c->args, "yes"))
		return CLI_OK;
	if (!isatty(STDIN_FILENO))
		return cli_out_fail(
		    "nobody can be asked here (no terminal): compare the fingerprint, then give --yes");
	fflush(stdout);
	fputs(question, stderr);
	if (fgets(line, sizeof line, stdin) == NULL)
		line[0] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	if (strcasecmp(line, "yes") == 0)
		return CLI_OK;
	cli_out_note("Nothing was changed.");
	return CLI_NO;
}

static int from_file(const char *path, struct buf *b)
{
	struct problem pr = {0};
	size_t n;

	if (file_read(path, b, &pr) != 0)
		return cli_out_fail("%s", pr.text);
	n = strcspn(buf_str(b), "\r\n");
	if (n < b->len) {
		mem_wipe(b->p + n, b->len - n); /* also ends the text */
		b->len = n;
	}
	return CLI_OK;
}

/* 0 / -1. Signals that would end us wait until the terminal is as it was. */
static int read_hidden(int tty, const char *prompt, struct buf *b)
{
	struct termios was, hidden;
	sigset_t block, before;
	char c;
	int err = 0;

	if (tcgetattr(tty, &was) != 0)
		return -1;
	hidden = was;
	hidden.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	hidden.c_lflag |= ICANON;
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGHUP);
	sigaddset(&block, SIGTSTP);
	sigprocmask(SIG_BLOCK, &block, &before);
	if (tcsetattr(tty, TCSAFLUSH, &hidden) != 0)
		err = -1;
	else
		(void)!write(tty, prompt, strlen(prompt)); /* now: what is typed before would be flushed away */
	while (err == 0) {
		ssize_t n = read(tty, &c, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n != 1 || c == 3 /* control-C, which does not interrupt here */)
			err = -1;
		else if (c == '\n')
			break;
		else
			err = buf_add(b, &c, 1);
	}
	(void)tcsetattr(tty, TCSAFLUSH, &was);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return err;
}

int cli_ask_password(const struct cli *c, const char *prompt, struct buf *b)
{
	const char *path = cli_args_get(&c->args, "password-file");
	int tty, err;

	if (path != NULL)
		return from_file(path, b);
	tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (tty < 0)
		return cli_out_fail("the password cannot be asked for here (no terminal): put it into a file and "
				    "give --password-file FILE");
	fflush(stdout);
	err = read_hidden(tty, prompt, b);
	(void)!write(tty, "\n", 1);
	close(tty);
	return err == 0 ? CLI_OK : cli_out_fail("no password was given");
}
