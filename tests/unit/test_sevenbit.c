/* sevenbit.c: what needs nothing stays octet for octet, what needs encoding decodes to what it was. */
#include "gateway/mail/sevenbit.h"

#include "gateway/base/encode.h"
#include "gateway/mail/mime.h"
#include "tests/unit/slow_reader.h"

static struct arena *arena;
static struct buf out;

static void setup(void)
{
	arena = arena_new(8 << 20);
	buf_init(&out, 8 << 20);
}

static void teardown(void)
{
	arena_free(arena);
	buf_clear(&out);
}

static int convert(const void *p, size_t n, struct problem *pr)
{
	struct stream_buf w;
	struct stream_mem m;

	buf_reset(&out);
	stream_buf_init(&w, &out);
	stream_mem_init(&m, p, n);
	return sevenbit_write(&m.reader, 0, n, n, &w.writer, pr);
}

static struct mime_facts facts(void)
{
	struct mime_facts f;
	struct stream_mem m;

	stream_mem_init(&m, out.p, out.len);
	ck_assert_int_eq(mime_facts(arena, &m.reader, 0, out.len, &mime_limits_default, &f, NULL), 0);
	ck_assert(!f.eight_bit && !f.nul && !f.bare);
	ck_assert_uint_le(f.longest_line, 998);
	return f;
}

static int hex(uint8_t c)
{
	return c <= '9' ? c - '0' : c - 'A' + 10;
}

static void must(bool well, const char *what)
{
	if (!well)
		ck_abort_msg("%s", what); /* an assertion of Check costs a system call: not for every octet */
}

/* Strict: lines of at most 76, no blank at a line's end. */
static void decode_qp(const uint8_t *p, size_t n, struct buf *to)
{
	size_t line = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\r') {
			must(i + 1 < n && p[i + 1] == '\n', "a CR alone");
			must(i == 0 || (p[i - 1] != ' ' && p[i - 1] != '\t'), "a blank at the end of a line");
			must(buf_adds(to, "\r\n") == 0, "full");
			line = 0;
			i++;
			continue;
		}
		must(++line <= 76, "a line above 76");
		if (p[i] != '=') {
			must(buf_addc(to, p[i]) == 0, "full");
		} else if (p[i + 1] == '\r') {
			line = 0;
			i += 2;
		} else {
			must(buf_addc(to, (uint8_t)(hex(p[i + 1]) << 4 | hex(p[i + 2]))) == 0, "full");
			i += 2;
			line += 2;
		}
	}
}

static void decode_base64(const uint8_t *p, size_t n, struct buf *to)
{
	char *text = malloc(n + 1);
	uint8_t *octets = malloc(n + 1);
	size_t len = 0, line = 0;
	long got;

	for (size_t i = 0; i < n; i++) {
		line = p[i] == '\r' || p[i] == '\n' ? 0 : line + 1;
		must(line <= 76, "a line above 76");
		if (line)
			text[len++] = (char)p[i];
	}
	got = encode_unb64(text, len, octets, n + 1);
	ck_assert_int_ge(got, 0);
	ck_assert_int_eq(buf_add(to, octets, (size_t)got), 0);
	free(text);
	free(octets);
}

/* The body of the entity at [off, off+len) of the output, decoded. */
static void decode(uint64_t off, uint64_t len, enum mime_cte want, struct buf *to)
{
	struct mime_entity e;
	struct stream_mem m;

	buf_init(to, 8 << 20);
	stream_mem_init(&m, out.p, out.len);
	ck_assert_int_eq(mime_entity_read(arena, &m.reader, off, len, &mime_limits_default, &e, NULL), 0);
	ck_assert_int_eq(e.cte, want);
	if (e.cte == MIME_CTE_QP)
		decode_qp(out.p + e.body_off, e.body_len, to);
	else if (e.cte == MIME_CTE_BASE64)
		decode_base64(out.p + e.body_off, e.body_len, to);
	else
		ck_assert_int_eq(buf_add(to, out.p + e.body_off, e.body_len), 0);
}

static const char *const same[] = {
    "Content-Type: text/plain\r\n\r\nhello \r\n-- \r\n",
    "\r\n",
    "",
    "Content-Type: multipart/x; boundary=b\r\n\r\np\r\n--b \r\nX: y\r\n  z\r\n\r\n2\r\n--b--\r\np\r\n",
    "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n1 \r\n--b\r\n\r\n2\r\n--b--\r\n",
    "Content-Transfer-Encoding: 8bit\r\n\r\nascii\r\n",
};

START_TEST(test_same)
{
	ck_assert_int_eq(convert(same[_i], strlen(same[_i]), NULL), 0);
	ck_assert_str_eq(buf_str(&out), same[_i]);
}
END_TEST

#define RAW(s) s, sizeof(s) - 1
static const struct {
	const char *header;
	const char *body;
	size_t n;
	enum mime_cte want;
} leaves[] = {
    {"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n",
	RAW("Gr\xc3\xbc\xc3\x9f"
	    "e aus der Klinik \r\nmit Blank\t\r\nFrom here = there\r\n.\r\n"),
	MIME_CTE_QP},
    {"Content-Type: text/plain; charset=utf-8\r\n",
	RAW("caf\xc3\xa9, a line of more than enough ASCII text to stay readable as it is"), MIME_CTE_QP},
    {"", RAW("caf\xe9 and more text around it so that it stays readable \r\n"), MIME_CTE_QP},
    {"Content-Type: text/plain\r\n", RAW("\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82\r\n"), MIME_CTE_BASE64},
    {"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n", RAW("\0\1\2\r\n\n\r\xff\xfe"),
	MIME_CTE_BASE64},
    {"Content-Type: application/pdf\r\nContent-Transfer-Encoding: 7bit\r\n", RAW("lone\nlf"), MIME_CTE_BASE64},
    {"Content-Type: text/plain\r\n", RAW("a lone LF\nin a long enough text to count for little"), MIME_CTE_QP},
    {"Content-Type: text/plain\r\n", RAW("a lone CR at the very end of a text that is long enough\r"), MIME_CTE_QP},
};

START_TEST(test_leaf)
{
	struct buf in, back;

	buf_init(&in, 65536);
	ck_assert_int_eq(
	    buf_addf(&in, "%s\r\n", leaves[_i].header) || buf_add(&in, leaves[_i].body, leaves[_i].n), 0);
	ck_assert_int_eq(convert(in.p, in.len, NULL), 0);
	facts();
	decode(0, out.len, leaves[_i].want, &back);
	ck_assert_uint_eq(back.len, leaves[_i].n);
	ck_assert_mem_eq(back.p, leaves[_i].body, back.len);
	buf_clear(&in);
	buf_clear(&back);
}
END_TEST

/* ---- lines, of 8 bits too: what was opened, for a server without BINARYMIME ---- */

static int in_lines(const void *p, size_t n)
{
	struct stream_buf w;
	struct stream_mem m;

	buf_reset(&out);
	stream_buf_init(&w, &out);
	stream_mem_init(&m, p, n);
	return sevenbit_lines_write(&m.reader, 0, n, &w.writer, NULL);
}

#define MULTI "Content-Type: multipart/mixed; boundary=b\r\n"
#define BINARY "Content-Transfer-Encoding: binary\r\n"
static const struct {
	const char *in;
	size_t n;
	const char *out;
} lined[] = {
    /* 8-bit text and header fields stay, and text whose line ends are LF */
    {RAW("X: caf\xc3\xa9\r\n\r\ncaf\xc3\xa9\r\n"), "X: caf\xc3\xa9\r\n\r\ncaf\xc3\xa9\r\n"},
    {RAW("Content-Type: text/plain\r\n\r\none\ntwo\n"), "Content-Type: text/plain\r\n\r\none\ntwo\n"},
    {RAW("Content-Transfer-Encoding: base64\r\n\r\naGE=\n"), "Content-Transfer-Encoding: base64\r\n\r\naGE=\n"},
    /* binary in one part: that part alone, and the labels around it */
    {RAW("X: caf\xc3\xa9\r\n" MULTI BINARY "\r\np\n\r\n--b\r\n\r\ncaf\xc3\xa9\r\n--b\r\n"
	 "Content-Type: image/png\r\n" BINARY "\r\n\0\n\r\xff\r\n--b--\r\n"),
	"X: caf\xc3\xa9\r\n" MULTI "Content-Transfer-Encoding: 8bit\r\n\r\np\n\r\n--b\r\n\r\ncaf\xc3\xa9\r\n--b\r\n"
	"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAoN/w==\r\n\r\n--b--\r\n"},
    {RAW("Content-Type: text/plain\r\n" BINARY "\r\none\ntwo\n"),
	"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nb25lCnR3bwo=\r\n"},
    {RAW("Content-Type: application/pdf\r\n\r\n%PDF\n"),
	"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERgo=\r\n"},
    /* what another server may take for the end of the mail, at its end, too */
    {RAW("Content-Type: image/png\r\n\r\nx\r\n\0."),
	"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\neA0KAC4=\r\n"},
    {RAW("Content-Type: text/plain\r\n\r\n\0.\r\n"),
	"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nAC4NCg==\r\n"},
    /* what is signed inside is not touched, whatever it holds */
    {RAW("Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n" BINARY "\r\n1\n\r\n--b\r\n\r\n2\r\n--b--\r\n"),
	"Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n" BINARY "\r\n1\n\r\n--b\r\n\r\n2\r\n--b--\r\n"},
};

START_TEST(test_lines)
{
	ck_assert_int_eq(in_lines(lined[_i].in, lined[_i].n), 0);
	ck_assert_str_eq(buf_str(&out), lined[_i].out);
}
END_TEST

/* NUL and overlong lines stay; an encoding nobody knows cannot be made lines. */
START_TEST(test_lines_other)
{
	static const char foreign[] = "Content-Type: image/png\r\nContent-Transfer-Encoding: x-uu\r\n\r\n\n";
	struct buf in;

	buf_init(&in, 65536);
	ck_assert_int_eq(buf_adds(&in, "Content-Type: text/plain\r\n\r\n"), 0);
	for (size_t i = 0; i < 5000; i++)
		ck_assert_int_eq(buf_addc(&in, i == 77 ? 0 : 'a'), 0);
	ck_assert_int_eq(in_lines(in.p, in.len), 0);
	ck_assert_uint_eq(out.len, in.len);
	ck_assert_mem_eq(out.p, in.p, in.len);
	ck_assert_int_eq(in_lines(foreign, sizeof(foreign) - 1), -1);
	buf_clear(&in);
}
END_TEST

static void check_length(const uint8_t *body, size_t n, const char *type, enum mime_cte want)
{
	struct buf in, back;

	buf_init(&in, 1 << 20);
	ck_assert_int_eq(buf_addf(&in, "Content-Type: %s\r\n\r\n", type) || buf_add(&in, body, n), 0);
	ck_assert_int_eq(convert(in.p, in.len, NULL), 0);
	decode(0, out.len, want, &back);
	ck_assert_uint_eq(back.len, n);
	ck_assert_mem_eq(back.p, body, n);
	buf_clear(&back);
	buf_clear(&in);
}

/* Every length around the edges of lines and of the reading window, every octet value. */
START_TEST(test_lengths)
{
	static const size_t ranges[][2] = {{1, 160}, {65500, 65540}};
	uint8_t *body = malloc(70000);

	for (size_t i = 0; i < 70000; i++)
		body[i] = i % 11 ? (uint8_t)('a' + i % 26) : (uint8_t)(i / 11);
	body[0] = 0x80;
	for (size_t k = 0; k < 2; k++) {
		for (size_t n = ranges[k][0]; n <= ranges[k][1]; n++) {
			check_length(body, n, "application/x", MIME_CTE_BASE64);
			check_length(body, n, "text/plain", n <= 5 ? MIME_CTE_BASE64 : MIME_CTE_QP);
		}
	}
	free(body);
}
END_TEST

START_TEST(test_long_line)
{
	size_t n = 3000;
	struct buf in, back;

	buf_init(&in, 65536);
	ck_assert_int_eq(buf_adds(&in, "\r\n"), 0);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(buf_addc(&in, 'x'), 0);
	ck_assert_int_eq(convert(in.p, in.len, NULL), 0);
	facts();
	decode(0, out.len, MIME_CTE_QP, &back);
	ck_assert_uint_eq(back.len, n);
	buf_clear(&back);
	/* 998 is lawful */
	ck_assert_int_eq(convert(in.p, 2 + 998, NULL), 0);
	ck_assert_uint_eq(out.len, 2 + 998);
	buf_clear(&in);
}
END_TEST

/* base64 in one line, quoted-printable with 8-bit octets: brought into form, not encoded twice. */
START_TEST(test_repair)
{
	static const char qp[] = "Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC\xc3\x9f"
				 "e =\r\nx  \r\n";
	struct buf in, back;
	char b64[4001];

	for (size_t i = 0; i < 4000; i++)
		b64[i] = (char)('A' + i % 26);
	b64[4000] = 0;
	buf_init(&in, 65536);
	ck_assert_int_eq(buf_addf(&in, "Content-Transfer-Encoding: base64\r\n\r\n%s", b64), 0);
	ck_assert_int_eq(convert(in.p, in.len, NULL), 0);
	ck_assert_uint_le(facts().longest_line, 76);
	decode(0, out.len, MIME_CTE_BASE64, &back);
	ck_assert_uint_eq(back.len, 3000);
	buf_clear(&back);
	buf_clear(&in);
	ck_assert_int_eq(convert(qp, sizeof(qp) - 1, NULL), 0);
	decode(0, out.len, MIME_CTE_QP, &back);
	ck_assert_str_eq(buf_str(&back), "Gr\xc3\xbc\xc3\x9f"
					 "e x\r\n");
	buf_clear(&back);
}
END_TEST

#define SHORT "short ASCII text, long enough to stay as it is\r\n"
START_TEST(test_multipart)
{
	static const char in[] =
	    "Content-Type: multipart/mixed; boundary=\"b\"\r\nContent-Transfer-Encoding: 8bit\r\nX-Order: 1\r\n\r\n"
	    "pre\xc3\xa4\r\n--b\r\nX-Kept:   a\r\n\tb \r\n\r\n" SHORT
	    "\r\n--b  \r\nContent-Transfer-Encoding: 8bit\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n\r\ncaf\xc3\xa9 " SHORT "\r\n--b\r\n"
	    "Content-Type: message/rfc822\r\n\r\nSubject: caf\xc3\xa9 cr\xc3\xa8me x\r\nFrom: \"B\xc3\xb6\" "
	    "<b@x>\r\n\r\nna\xc3\xafve " SHORT "\r\n--b--\r\nepi\xc3\xa4\r\n";
	static const char want[] =
	    "Content-Type: multipart/mixed; boundary=\"b\"\r\nContent-Transfer-Encoding: 7bit\r\nX-Order: 1\r\n\r\n"
	    "?re??\r\n--b\r\nX-Kept:   a\r\n\tb \r\n\r\n" SHORT
	    "\r\n--b  \r\nContent-Transfer-Encoding: quoted-printable\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n\r\ncaf=C3=A9 " SHORT "\r\n--b\r\n"
	    "Content-Type: message/rfc822\r\n\r\nSubject: =?utf-8?B?Y2Fmw6kgY3LDqG1l?= x\r\nFrom: =?utf-8?B?QsO2?= "
	    "<b@x>\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\nna=C3=AFve " SHORT "\r\n--b--\r\n?pi??\r\n";

	ck_assert_int_eq(convert(in, sizeof(in) - 1, NULL), 0);
	ck_assert_str_eq(buf_str(&out), want);
	facts();
}
END_TEST

/* No line that was no delimiter becomes one: by a soft line break, by a mask over octets, by breaking a long line. */
START_TEST(test_no_new_delimiter)
{
	struct mime_facts before, after;
	struct stream_mem m;
	struct buf in;

	for (size_t pad = 60; pad < 90; pad++) {
		buf_init(&in, 65536);
		ck_assert_int_eq(
		    buf_adds(&in,
			"Content-Type: multipart/mixed; boundary=\"b?\"\r\n\r\n--b\xff\r\n--b?\r\n\r\n\xc3\xa4\r\n"),
		    0);
		for (size_t i = 0; i < pad; i++)
			ck_assert_int_eq(buf_addc(&in, 'x'), 0);
		ck_assert_int_eq(buf_adds(&in, "--b?\r\n--b?--\r\n--b?\xff\r\n"), 0);
		stream_mem_init(&m, in.p, in.len);
		ck_assert_int_eq(mime_facts(arena, &m.reader, 0, in.len, &mime_limits_default, &before, NULL), 0);
		ck_assert_int_eq(convert(in.p, in.len, NULL), 0);
		after = facts();
		ck_assert_uint_eq(after.parts, before.parts);
		ck_assert_ptr_null(strstr(buf_str(&out), "=\r\n--b?\r\n"));
		buf_clear(&in);
	}
}
END_TEST

static const struct {
	const char *in, *want;
} headers[] = {
    {"Content-Disposition: attachment; filename=\"Bl\xc3\xa4tter 1.pdf\"",
	"Content-Disposition: attachment; filename=\"=?utf-8?B?QmzDpHR0ZXIgMS5wZGY=?=\""},
    {"Content-Type: x/y; name=Bl\xc3\xa4tter 1.pdf ; a=b",
	"Content-Type: x/y; name=\"=?utf-8?B?QmzDpHR0ZXIgMS5wZGY=?=\" ; a=b"},
    {"Subject: \xe4", "Subject: =?unknown-8bit?B?5A==?="},
    {"Subject: a \xc3\xa4 b \xc3\xa4 \xc3\xb6", "Subject: a =?utf-8?B?w6Q=?= b =?utf-8?B?w6Qgw7Y=?="},
    {"Subject: \"a\" \"\xc3\xa4", "Subject: \"a\" \"=?utf-8?B?w6Q=?="},
    {"To: J\xc3\xb6 (\xc3\xa4) <j@x>,\r\n\t\"\xc3\xa4, b\" <k@x>",
	"To: =?utf-8?B?SsO2?= (=?utf-8?B?w6Q=?=) <j@x>,\r\n\t=?utf-8?B?w6QsIGI=?= <k@x>"},
    {"Subject: "
     "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3"
     "\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
     "\xc3\xa4\xc3\xa4",
	"Subject: =?utf-8?B?w6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOk?=\r\n =?utf-8?B?w6Q=?="},
};

START_TEST(test_header)
{
	char in[512], want[512];

	snprintf(in, sizeof(in), "X: 1\r\n%s\r\nY:  2\r\n\r\nx\r\n", headers[_i].in);
	snprintf(want, sizeof(want), "X: 1\r\n%s\r\nY:  2\r\n\r\nx\r\n", headers[_i].want);
	ck_assert_int_eq(convert(in, strlen(in), NULL), 0);
	ck_assert_str_eq(buf_str(&out), want);
}
END_TEST

START_TEST(test_long_header)
{
	struct problem pr;
	struct buf in;

	buf_init(&in, 65536);
	ck_assert_int_eq(buf_adds(&in, "References:"), 0);
	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(buf_addf(&in, " <%d@x.example>", i), 0);
	ck_assert_int_eq(buf_adds(&in, "\r\n\r\nx\r\n"), 0);
	ck_assert_int_eq(convert(in.p, in.len, NULL), 0);
	ck_assert_uint_le(facts().longest_line, 998);
	buf_reset(&in);
	ck_assert_int_eq(buf_adds(&in, "X: "), 0);
	for (int i = 0; i < 2000; i++)
		ck_assert_int_eq(buf_addc(&in, 'x'), 0);
	ck_assert_int_eq(buf_adds(&in, "\r\n\r\nx\r\n"), 0);
	ck_assert_int_eq(convert(in.p, in.len, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "998"));
	buf_clear(&in);
}
END_TEST

static const char *const refused[] = {
    "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n\xc3\xa4\r\n--b\r\n\r\n2\r\n--b--\r\n",
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n\xc3\xa4\r\n",
    "Content-Transfer-Encoding: x-uuencode\r\n\r\n\xc3\xa4\r\n",
    "no field\r\n\r\n\xc3\xa4\r\n",
};

START_TEST(test_refused)
{
	struct problem pr;

	ck_assert_int_eq(convert(refused[_i], strlen(refused[_i]), &pr), -1);
	ck_assert_int_eq(pr.cls, PROBLEM_PERM);
	ck_assert_int_eq(pr.code, 554);
}
END_TEST

/* An address is never made into an encoded word; names and comments around it are. */
static const struct {
	const char *field;
	bool ok;
} addresses[] = {
    {"From: \xce\xb4\xce\xbf\xce\xba@example.net", false},
    {"From: <\xce\xb4@example.net>", false},
    {"From: x@ex\xc3\xa4mple.net", false},
    {"From: \"\xce\xb4\"@example.net", false},
    {"To: a@b.example, G: J <\xce\xb4@x.example>, c@d.example;", false},
    {"Resent-Cc: \xce\xb4@x.example, c@d.example", false},
    {"reply-to: a@b.example,\r\n \xce\xb4@x.example", false},
    {"From: <(\xce\xb4)a\xce\xb4@example.net>", false},
    {"From: J\xc3\xb6rg <j@example.net>", true},
    {"From: \"J\xc3\xb6rg, @home\" <j@example.net>", true},
    {"From: J\xc3\xb6rg@home <j@example.net>", true},
    {"From: j@example.net (J\xc3\xb6rg)", true},
    {"To: Gr\xc3\xbc"
     "ppe: j@example.net, J\xc3\xb6rg <j@example.net>;",
	true},
    {"To: J\xc3\xb6rg", true},
    {"Subject: \xce\xb4@example.net", true},
};

START_TEST(test_addresses)
{
	struct problem pr;
	char text[200];
	int n = snprintf(text, sizeof text, "%s\r\n\r\nx\r\n", addresses[_i].field);

	ck_assert_msg(convert(text, (size_t)n, &pr) == (addresses[_i].ok ? 0 : -1), "%s", addresses[_i].field);
	ck_assert(addresses[_i].ok || (pr.cls == PROBLEM_PERM && pr.code == 554 && strcmp(pr.enh, "5.6.3") == 0));
}
END_TEST

START_TEST(test_max)
{
	struct stream_buf w;
	struct stream_mem m;
	struct problem pr;

	stream_buf_init(&w, &out);
	stream_mem_init(&m, "\r\nabc", 5);
	ck_assert_int_eq(sevenbit_write(&m.reader, 0, 5, 5, &w.writer, &pr), 0);
	ck_assert_int_eq(sevenbit_write(&m.reader, 0, 5, 4, &w.writer, &pr), -1);
	ck_assert_int_eq(pr.cls, PROBLEM_PERM);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sevenbit");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_same, 0, (int)(sizeof(same) / sizeof(same[0])));
	tcase_add_loop_test(t, test_leaf, 0, (int)(sizeof(leaves) / sizeof(leaves[0])));
	tcase_add_loop_test(t, test_lines, 0, (int)(sizeof(lined) / sizeof(lined[0])));
	tcase_add_test(t, test_lines_other);
	tcase_add_test(t, test_lengths);
	tcase_add_test(t, test_long_line);
	tcase_add_test(t, test_repair);
	tcase_add_test(t, test_multipart);
	tcase_add_test(t, test_no_new_delimiter);
	tcase_add_loop_test(t, test_header, 0, (int)(sizeof(headers) / sizeof(headers[0])));
	tcase_add_test(t, test_long_header);
	tcase_add_loop_test(t, test_refused, 0, (int)(sizeof(refused) / sizeof(refused[0])));
	tcase_add_loop_test(t, test_addresses, 0, (int)(sizeof(addresses) / sizeof(addresses[0])));
	tcase_add_test(t, test_max);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	return suite_run(s);
}
