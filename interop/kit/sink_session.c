#include "interop/kit/sink_session.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "interop/kit/statement_check.h"

#define LINE_MAX_OCTETS (16 * 1024)
#define MAIL_MAX (64u * 1024 * 1024)
#define RECIPIENTS_MAX 2000
#define STATEMENT_MAX 65536
#define IDLE_MS 300000

struct session {
	const struct session_of *of;
	int fd;
	SSL *ssl;
	char in[16384];
	size_t at, n;
	char *helo;
	struct mail *mail; /* from MAIL to the end of DATA */
	struct buf transcript;
	bool ended;
};

static int fill(struct session *s)
{
	struct pollfd p = {.fd = s->fd, .events = POLLIN};
	ssize_t n;

	do
		n = s->ssl && SSL_pending(s->ssl) > 0 ? 1 : poll(&p, 1, IDLE_MS);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return -1;
	n = s->ssl ? SSL_read(s->ssl, s->in, sizeof(s->in)) : recv(s->fd, s->in, sizeof(s->in), 0);
	if (n <= 0)
		return -1;
	s->at = 0;
	s->n = (size_t)n;
	return 0;
}

/* Octets up to and with LF, added to out. -1: closed, or more than max. */
static int read_line(struct session *s, struct buf *out, size_t max)
{
	size_t had = out->n;

	for (;;) {
		const char *end;
		size_t n;

		if (s->at == s->n && fill(s) < 0)
			return -1;
		end = memchr(s->in + s->at, '\n', s->n - s->at);
		n = end ? (size_t)(end - s->in) + 1 - s->at : s->n - s->at;
		if (out->n - had + n > max)
			return -1;
		buf_add(out, s->in + s->at, n);
		s->at += n;
		if (end)
			return 0;
	}
}

static void say(struct session *s, const char *text)
{
	size_t n = strlen(text);

	buf_addf(&s->transcript, "S: %s", text);
	for (size_t done = 0; done < n && !s->ended;) {
		ssize_t w = s->ssl ? SSL_write(s->ssl, text + done, (int)(n - done))
				   : send(s->fd, text + done, n - done, MSG_NOSIGNAL);

		if (w <= 0)
			s->ended = true;
		else
			done += (size_t)w;
	}
}

static void forget(struct session *s)
{
	if (s->mail)
		mail_free(s->mail);
	s->mail = NULL;
}

static void verb_ehlo(struct session *s, const char *rest)
{
	struct buf b = {0};

	forget(s);
	free(s->helo);
	s->helo = text_copy(rest);
	buf_addf(&b,
	    "250-%s\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n250-SIZE %u\r\n",
	    s->of->kit->host, MAIL_MAX);
	if (s->of->tls && !s->ssl)
		buf_adds(&b, "250-STARTTLS\r\n");
	if (s->ssl && s->of->side == OUTSIDE)
		buf_adds(&b, "250-XSMG 1\r\n");
	buf_adds(&b, "250 DSN\r\n");
	say(s, b.p);
	buf_free(&b);
}

static void verb_helo(struct session *s, const char *rest)
{
	forget(s);
	free(s->helo);
	s->helo = text_copy(rest);
	say(s, "250 2.0.0 hello\r\n");
}

static void verb_starttls(struct session *s, const char *rest)
{
	if (!s->of->tls || s->ssl || *rest) {
		say(s, "503 5.5.1 not here\r\n");
		return;
	}
	say(s, "220 2.0.0 ready\r\n");
	forget(s);
	if (s->at < s->n) /* octets pipelined behind STARTTLS: RFC 3207 6 */
		s->ended = true;
	s->ssl = SSL_new(s->of->tls);
	if (s->ended || !s->ssl || SSL_set_fd(s->ssl, s->fd) != 1 || SSL_accept(s->ssl) != 1) {
		s->ended = true;
		return;
	}
	buf_addf(&s->transcript, "-- %s %s\n", SSL_get_version(s->ssl), SSL_get_cipher_name(s->ssl));
}

/* "FROM:<a> parameters" or "TO:<a>": the address without brackets, and what stands behind. NULL: not such a text. */
static char *path_of(const char *rest, const char *word, const char **behind)
{
	size_t n = strlen(word);
	const char *end;

	if (strncasecmp(rest, word, n) != 0)
		return NULL;
	for (rest += n; *rest == ' ';)
		rest++;
	end = strrchr(rest, '>');
	if (*rest != '<' || !end)
		return NULL;
	*behind = end + 1 + strspn(end + 1, " ");
	return text_cut(rest + 1, (size_t)(end - rest - 1));
}

static void verb_mail(struct session *s, const char *rest)
{
	const char *behind;
	char *from = path_of(rest, "FROM:", &behind);

	if (!from || s->mail) {
		free(from);
		say(s, from ? "503 5.5.1 a transaction is open\r\n" : "501 5.5.4 syntax\r\n");
		return;
	}
	s->mail = need(sizeof(*s->mail));
	s->mail->from = from;
	s->mail->parameters = text_copy(behind);
	say(s, "250 2.1.0 go on\r\n");
}

static void verb_rcpt(struct session *s, const char *rest)
{
	const char *behind;
	char *to = path_of(rest, "TO:", &behind);

	if (!s->mail || !to || s->mail->n_to >= RECIPIENTS_MAX) {
		free(to);
		say(s, s->mail ? "501 5.5.4 syntax, or too many\r\n" : "503 5.5.1 MAIL first\r\n");
		return;
	}
	if (s->of->side == INSIDE &&
	    !strncasecmp(to, "unknown", 7)) { /* for cases about recipients that do not exist */
		free(to);
		say(s, "550 5.1.1 nobody of this name\r\n");
		return;
	}
	s->mail->to = need_more(s->mail->to, (s->mail->n_to + 1) * sizeof(char *));
	s->mail->to[s->mail->n_to++] = to;
	say(s, "250 2.1.5 go on\r\n");
}

static int read_content(struct session *s, struct buf *data)
{
	for (;;) {
		size_t from = data->n;

		if (read_line(s, data, MAIL_MAX) < 0 || data->n > MAIL_MAX)
			return -1;
		if (data->p[from] != '.')
			continue;
		if (data->n - from == 3 && !memcmp(data->p + from, ".\r\n", 3) &&
		    (from == 0 || (from >= 2 && data->p[from - 2] == '\r'))) {
			data->n = from;
			data->p[from] = 0;
			return 0;
		}
		memmove(data->p + from, data->p + from + 1, data->n - from);
		data->n--;
	}
}

static void verb_data(struct session *s, const char *rest)
{
	struct buf data = {0};
	bool taken;

	if (!s->mail || s->mail->n_to == 0 || *rest) {
		say(s, "503 5.5.1 RCPT first\r\n");
		return;
	}
	say(s, "354 go on\r\n");
	buf_add(&data, "", 0);
	if (read_content(s, &data) < 0) {
		buf_free(&data);
		s->ended = true;
		return;
	}
	buf_addf(&s->transcript, "-- %zu octets\n", data.n);
	s->mail->data = data;
	s->mail->side = s->of->side;
	s->mail->tls = s->ssl != NULL;
	s->mail->helo = text_copy(s->helo ? s->helo : "");
	buf_add(&s->mail->transcript, s->transcript.p, s->transcript.n);
	taken = sink_store_add(s->of->store, s->mail);
	s->mail = NULL;
	say(s, taken ? "250 2.0.0 taken\r\n" : "452 4.3.1 the kit has no room left\r\n");
}

static void verb_rset(struct session *s, const char *rest)
{
	(void)rest;
	forget(s);
	say(s, "250 2.0.0 reset\r\n");
}

static void verb_noop(struct session *s, const char *rest)
{
	(void)rest;
	say(s, "250 2.0.0 fine\r\n");
}

static void verb_quit(struct session *s, const char *rest)
{
	(void)rest;
	say(s, "221 2.0.0 bye\r\n");
	s->ended = true;
}

static void xsmg_get(struct session *s, const char *rest)
{
	struct buf der = {0}, out = {0}, lines = {0};
	char *domain = text_cut(rest, strcspn(rest, " ")), id[44] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	const char *held = strchr(rest, ' ');

	if (sink_store_answer(s->of->store, domain, &der) < 0) {
		say(s, "550 5.1.2 not a domain of this gateway\r\n");
		goto out;
	}
	statement_id(&der, id); /* one that was damaged on purpose may have none */
	if (held && !strcmp(held + 1, id)) {
		buf_addf(&out, "250 2.0.0 current %s\r\n", id);
	} else {
		base64_add(&lines, der.p, der.n, 76);
		buf_addf(&out, "250-2.0.0 statement %s %zu\r\n", id, der.n);
		for (const char *p = lines.p, *end; p && *p && (end = strchr(p, '\n')); p = end + 1)
			buf_addf(&out, "250-2.0.0 %.*s\n", (int)(end - p), p);
		buf_adds(&out, "250 2.0.0 end\r\n");
	}
	say(s, out.p);
out:
	free(domain);
	buf_free(&der);
	buf_free(&out);
	buf_free(&lines);
}

static void xsmg_put(struct session *s, const char *rest)
{
	struct buf text = {0}, der = {0};
	const char *size = strchr(rest, ' ');
	char *domain = text_cut(rest, strcspn(rest, " "));
	long octets;
	size_t from = 0;

	if (!size || number_read(size + 1, 1, 999999, &octets) < 0) {
		say(s, "501 5.5.4 syntax\r\n");
	} else if (octets > STATEMENT_MAX) {
		say(s, "552 5.3.4 too large\r\n");
	} else {
		say(s, "354 send statement\r\n");
		while (!s->ended && (text.n - from != 3 || memcmp(text.p + from, ".\r\n", 3) != 0)) {
			from = text.n;
			s->ended = read_line(s, &text, 1000) < 0 || text.n > 90000;
		}
		if (!s->ended && base64_read(text.p, from, &der) == 0 && der.n == (size_t)octets) {
			sink_store_got(s->of->store, domain, &der);
			say(s, "250 2.0.0 received\r\n");
		} else if (!s->ended) {
			say(s, "501 5.5.2 not base64, or not of that length\r\n");
		}
	}
	free(domain);
	buf_free(&text);
	buf_free(&der);
}

static void verb_xsmg(struct session *s, const char *rest)
{
	if (!s->ssl || s->of->side != OUTSIDE)
		say(s, s->ssl ? "500 5.5.1 not here\r\n" : "530 5.7.0 TLS first\r\n");
	else if (s->mail)
		say(s, "503 5.5.1 not within a transaction\r\n");
	else if (!strncasecmp(rest, "GET ", 4))
		xsmg_get(s, rest + 4);
	else if (!strncasecmp(rest, "PUT ", 4))
		xsmg_put(s, rest + 4);
	else
		say(s, "501 5.5.4 syntax\r\n");
}

static const struct {
	const char *name;
	void (*run)(struct session *, const char *rest);
} verbs[] = {{"EHLO", verb_ehlo}, {"HELO", verb_helo}, {"STARTTLS", verb_starttls}, {"MAIL", verb_mail},
    {"RCPT", verb_rcpt}, {"DATA", verb_data}, {"RSET", verb_rset}, {"NOOP", verb_noop}, {"QUIT", verb_quit},
    {"XSMG", verb_xsmg}};

static void dispatch(struct session *s, char *line)
{
	size_t n = strcspn(line, " ");

	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (strlen(verbs[i].name) == n && !strncasecmp(verbs[i].name, line, n)) {
			verbs[i].run(s, line + n + (line[n] == ' '));
			return;
		}
	say(s, "500 5.5.2 unknown verb\r\n");
}

void sink_session(const struct session_of *of, int fd)
{
	struct session s = {.of = of, .fd = fd};
	struct buf line = {0};
	char *greeting = text_make("220 %s ESMTP\r\n", of->kit->host);

	say(&s, greeting);
	free(greeting);
	while (!s.ended) {
		buf_clear(&line);
		if (read_line(&s, &line, LINE_MAX_OCTETS) < 0)
			break;
		while (line.n > 0 && strchr("\r\n", line.p[line.n - 1]))
			line.p[--line.n] = 0;
		if (s.transcript.n < MAIL_MAX)
			buf_addf(&s.transcript, "C: %s\n", line.p);
		dispatch(&s, line.p);
	}
	forget(&s);
	free(s.helo);
	buf_free(&line);
	buf_free(&s.transcript);
	if (s.ssl) {
		SSL_shutdown(s.ssl);
		SSL_free(s.ssl);
	}
	close(fd);
}
