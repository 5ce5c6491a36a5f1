/*
 * Header fields that are protected: sealed or signed by one gateway and opened by the other they are octet for octet
 * what they were; whatever is done outside, or by somebody who is not the author, shows nothing that is not true.
 */
#include "gateway/pipeline/unwrap.h"

#include "gateway/mail/protect.h"
#include "tests/unit/pipeline_fixture.h"

static struct pipes w;

static void setup(void)
{
	pipes_start(&w);
}

static void teardown(void)
{
	pipes_end(&w);
}

/* ---- there and back ---- */

/* It came with SMTPUTF8, and keeps its fields in UTF-8. */
static bool smtputf8;
static const char *hide; /* NULL: the default */

static struct buf sealed_as(enum policy_treatment t, const struct format *f, const char *text)
{
	pipes_job(&w, JOB_SEAL);
	pipes_verdict(&w, 0, t);
	w.rq.was_sealed = JOB_NO;
	w.rq.utf8 = smtputf8;
	if (hide != NULL)
		w.rq.hide = hide;
	w.verdicts[0].format = *f;
	w.verdicts[0].format.cipher = CMS_AES_256_CBC;
	w.verdicts[0].format.keymode = CMS_KEY_RSA_V15;
	ck_assert_msg(pipes_run(&w, text, strlen(text)) == JOB_DONE, "%s", w.res.pr.text);
	return pipes_take(&w, 0);
}

static enum job_status open_in(enum job_kind kind, const struct buf *b, enum judge_trust_state state, bool all)
{
	pipes_job(&w, kind);
	w.rq.subject_mark = true;
	if (all)
		memset(w.rq.in_rules, POLICY_MARK, sizeof(w.rq.in_rules));
	if (pipes_run_buf(&w, b) != JOB_NEEDS_TRUST)
		return (enum job_status)w.res.status;
	pipes_trust(&w, state);
	return pipes_run_buf(&w, b);
}

static enum job_kind kind_for(enum policy_treatment t)
{
	return t == POLICY_SEAL ? JOB_OPEN : JOB_CHECK;
}

/* What is delivered, behind the verdict fields. */
static char *delivered(void)
{
	char *p = pipes_text(&w, 0);

	for (;;) {
		char *next = strstr(p, "\r\n");

		ck_assert_ptr_nonnull(next);
		if (*p != ' ' && *p != '\t' && strncmp(p, "Received:", 9) != 0 && strncmp(p, "X-Postern-", 10) != 0 &&
		    strncmp(p, "Authentication-Results: auth.lab.example", 40) != 0)
			return p;
		p = next + 2;
	}
}

static bool says(const char *what)
{
	return strstr(pipes_text(&w, 0), what) != NULL;
}

/* Before the empty line. */
static bool in_header(const char *text, const char *what)
{
	const char *end = strstr(text, "\r\n\r\n"), *at = strstr(text, what);

	return at != NULL && end != NULL && at < end + 2;
}

#define ID "Message-ID: <1@hospital.example>\r\nDate: Sun, 22 Nov 2026 02:00:00 +0000\r\n"
#define WHO "From: Doctor <doctor@hospital.example>\r\nTo: bob@lab.example\r\n"

/* Every one in the form it comes back in. */
static const char *const messages[] = {
    WHO "Subject: HIDDENSUBJECT\r\n" ID
	"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nbody\r\n",
    /* folded, odd case, twice, fields among those of MIME */
    "SUBJECT:  HIDDENSUBJECT\r\n\tfolded   with blanks \r\nMIME-version: 1.0 (odd)\r\nX-One: 1\r\n" WHO
    "content-TYPE: TEXT/Plain;\r\n\tcharset=\"us-ascii\"; format=flowed\r\nX-One:2\r\n" ID
    "Content-Transfer-Encoding: 7bit\r\nReferences: <a@b.example>\r\n <c@d.example>\r\n\r\nbody \r\n-- \r\n",
    /* no Content-Type; it is added for the way alone */
    WHO "Subject: HIDDENSUBJECT\r\n" ID "MIME-Version: 1.0\r\n\r\nbody\r\n",
    /* types that are none, or written oddly */
    WHO "Subject: HIDDENSUBJECT\r\n" ID "MIME-Version: 1.0\r\nContent-Type: text\r\n\r\nbody\r\n",
    WHO "Subject: HIDDENSUBJECT\r\n" ID "MIME-Version: 1.0\r\nContent-Type:\r\n\r\nbody\r\n",
    WHO "Subject: HIDDENSUBJECT\r\n" ID "MIME-Version: 1.0\r\nContent-Type: multipart (one) / (two) mixed (three) ; "
	"boundary=\"b;=\" ;\r\n\r\n--b;=\r\n\r\n"
	"x\r\n--b;=--\r\n",
    WHO "Subject: HIDDENSUBJECT\r\n" ID
	"MIME-Version: 1.0\r\nContent-Type: text/plain charset=utf-8;\r\n\r\nbody\r\n",
    /* what MIME calls the default, as the sender wrote it */
    WHO "Subject: HIDDENSUBJECT\r\n" ID "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nbody\r\n",
    /* other fields that tell of the content */
    WHO "Subject: HIDDENSUBJECT\r\nThread-Topic: HIDDENSUBJECT\r\nComments: HIDDENSUBJECT\r\nKeywords: "
	"HIDDENSUBJECT\r\n" ID "MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<p>body</p>\r\n",
    /* UTF-8 in fields (RFC 6532), body without final line end */
    WHO "Subject: HIDDENSUBJECT b\xc3\xa4r\r\nX-Name: \xe6\x97\xa5\xe6\x9c\xac\r\n" ID
	"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nbody",
    /* empty body, empty subject */
    WHO "Subject:\r\n" ID "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n",
    /* a message that somebody forwards is the content */
    WHO "Subject: HIDDENSUBJECT\r\n" ID "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\nFrom: "
	"doctor@hospital.example\r\nMessage-ID: <2@hospital.example>\r\nSubject: inner\r\n\r\ninner body\r\n",
};
enum { MESSAGES = sizeof(messages) / sizeof(messages[0]) };

static const struct {
	const char *name;
	struct format f;
	enum policy_treatment t;
	bool hides;
} ways[] = {
    {"fields, sealed", {.wrap = FORMAT_WRAP_FIELDS}, POLICY_SEAL, true},
    {"fields, sealed, subject outside", {.wrap = FORMAT_WRAP_FIELDS, .subject_outside = true}, POLICY_SEAL, false},
    {"fields, signed", {.wrap = FORMAT_WRAP_FIELDS, .alone = FORMAT_MULTIPART}, POLICY_SIGN, false},
    {"fields, sealed, multipart/signed inside", {.wrap = FORMAT_WRAP_FIELDS, .inside = FORMAT_MULTIPART}, POLICY_SEAL,
	true},
    {"fields, signed, opaque", {.wrap = FORMAT_WRAP_FIELDS, .alone = FORMAT_OPAQUE}, POLICY_SIGN, false},
    {"message, sealed, multipart/signed inside", {.wrap = FORMAT_WRAP_MESSAGE, .inside = FORMAT_MULTIPART},
	POLICY_SEAL, true},
    {"fields, triple", {.wrap = FORMAT_WRAP_FIELDS, .triple = true}, POLICY_SEAL, true},
    {"message, sealed", {.wrap = FORMAT_WRAP_MESSAGE}, POLICY_SEAL, true},
    {"message, sealed, subject outside", {.wrap = FORMAT_WRAP_MESSAGE, .subject_outside = true}, POLICY_SEAL, false},
    {"message, signed", {.wrap = FORMAT_WRAP_MESSAGE, .alone = FORMAT_MULTIPART}, POLICY_SIGN, false},
};
enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

static void back_as_it_was(size_t way, const char *text)
{
	struct buf b = sealed_as(ways[way].t, &ways[way].f, text);

	ck_assert(strstr(buf_str(&b), "HIDDENSUBJECT") == NULL || !ways[way].hides);
	ck_assert(in_header(buf_str(&b), "Message-ID: <1@hospital.example>\r\n"));
	ck_assert(in_header(buf_str(&b), "Date: Sun, 22 Nov 2026 02:00:00 +0000\r\n"));
	ck_assert_msg(open_in(kind_for(ways[way].t), &b, JUDGE_TRUST_GOOD, false) == JOB_DONE, "%s: %s %s",
	    ways[way].name, w.res.why, w.res.pr.text);
	ck_assert(says("smime=pass"));
	ck_assert_msg(says("X-Postern-Headers: protected\r\n"), "%s:\n%s", ways[way].name, pipes_text(&w, 0));
	ck_assert_msg(strcmp(delivered(), text) == 0, "%s\n--- delivered:\n%s\n--- was:\n%s", ways[way].name,
	    delivered(), text);
	buf_clear(&b);
}

START_TEST(there_and_back)
{
	smtputf8 = true;
	for (size_t i = 0; i < MESSAGES; i++)
		back_as_it_was((size_t)_i, messages[i]);
}
END_TEST

/* Further fields that are set to be hidden: not on the wire, back in their places; and none where none is set. */
START_TEST(hidden_fields)
{
	static const char in[] =
	    WHO "X-Patient: HIDDENNAME\r\nSubject: HIDDENSUBJECT\r\nx-patient: HIDDENTOO\r\nKeywords: seen\r\n" ID
		"X-Other: 1\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nbody\r\n";
	static const char *const lists[] = {"Subject,X-Patient", "X-Patient", ""};
	struct buf b;

	if (!ways[_i].hides)
		return;
	for (size_t k = 0; k < 3; k++) {
		hide = lists[k];
		b = sealed_as(POLICY_SEAL, &ways[_i].f, in);
		ck_assert_int_eq(strstr(buf_str(&b), "HIDDENNAME") != NULL, k == 2);
		ck_assert_int_eq(strstr(buf_str(&b), "HIDDENTOO") != NULL, k == 2);
		ck_assert_int_eq(strstr(buf_str(&b), "HIDDENSUBJECT") != NULL, k > 0);
		ck_assert_int_eq(strstr(buf_str(&b), "Subject: [...]") != NULL, k == 0);
		ck_assert(in_header(buf_str(&b), "Keywords: seen\r\n"));
		ck_assert_int_eq(open_in(JOB_OPEN, &b, JUDGE_TRUST_GOOD, false), JOB_DONE);
		ck_assert_msg(says("X-Postern-Headers: protected\r\n"), "%s: %s", ways[_i].name, pipes_text(&w, 0));
		ck_assert_str_eq(delivered(), in);
		buf_clear(&b);
	}
	hide = NULL;
}
END_TEST

/* Two headers of nearly as many fields as are allowed, made to cost what comparing them can cost. */
START_TEST(thousand_fields)
{
	struct format f = {.wrap = FORMAT_WRAP_MESSAGE};
	struct buf in, b;

	buf_init(&in, 1 << 20);
	ck_assert_int_eq(buf_adds(&in, WHO "Subject: HIDDENSUBJECT\r\n" ID), 0);
	for (int i = 0; i < 900; i++)
		ck_assert_int_eq(buf_addf(&in, i % 3 ? "X-Many-%04d: x\r\n" : "Received: by %04d\r\n", i), 0);
	ck_assert_int_eq(buf_adds(&in, "Content-Type: text/plain\r\n\r\nbody\r\n"), 0);
	b = sealed_as(POLICY_SEAL, &f, buf_str(&in));
	ck_assert_int_eq(open_in(JOB_OPEN, &b, JUDGE_TRUST_GOOD, false), JOB_DONE);
	ck_assert(says("X-Postern-Headers: protected\r\n") && says("X-Many-0898: x\r\n"));
	buf_clear(&b);
	buf_clear(&in);
}
END_TEST

/* Fields with octets above 127 that are signed in the clear: what leaves is 7 bits, outside as inside, and nobody
 * says that it was changed on the way. Under an encryption they stay. */
START_TEST(fields_in_seven)
{
	static const char in[] =
	    "From: D\xc3\xb6ktor <doctor@hospital.example>\r\nTo: bob@lab.example\r\nSubject: "
	    "HIDDENSUBJECT b\xc3\xa4r\r\n"
	    "X-Odd: caf\xe9\r\nX-Plain: a  b\r\n" ID "MIME-Version: 1.0\r\nContent-Type: text/plain; "
	    "charset=utf-8\r\nContent-Description: b\xc3\xa4r\r\n\r\nbody b\xc3\xa4r\r\n";
	enum policy_treatment t = ways[_i].t;
	struct buf b;
	size_t high = 0;

	smtputf8 = false;
	b = sealed_as(t, &ways[_i].f, in);
	for (size_t i = 0; i < b.len; i++)
		high += b.p[i] > 127;
	ck_assert_int_eq(high > 0, t == POLICY_SEAL); /* the From outside; what is wrong with that is the sender's */
	ck_assert(w.res.outputs[0].eight_bit == (t == POLICY_SEAL));
	ck_assert_int_eq(open_in(kind_for(t), &b, JUDGE_TRUST_GOOD, false), JOB_DONE);
	ck_assert_msg(says("smime=pass") && says("X-Postern-Headers: protected\r\n"), "%s: %s", ways[_i].name,
	    pipes_text(&w, 0));
	ck_assert(says("X-Plain: a  b\r\n"));
	if (t == POLICY_SEAL)
		ck_assert(says("From: D\xc3\xb6ktor <doctor@hospital.example>\r\n") && says("X-Odd: caf\xe9\r\n"));
	else
		ck_assert(says("From: =?utf-8?B?RMO2a3Rvcg==?= <doctor@hospital.example>\r\n") &&
			  says("X-Odd: =?unknown-8bit?B?Y2Fm6Q==?=\r\n") &&
			  says("Subject: HIDDENSUBJECT =?utf-8?B?YsOkcg==?=\r\n"));
	buf_clear(&b);
}
END_TEST

/* An address outside ASCII in mail that is not SMTPUTF8 has no 7-bit form. */
START_TEST(address_not_in_seven)
{
	static const char in[] =
	    "From: d\xc3\xb6ktor@hospital.example\r\nTo: bob@lab.example\r\nSubject: x\r\n" ID "\r\nbody\r\n";

	for (size_t i = 0; i < WAYS; i++) {
		if (ways[i].t != POLICY_SIGN)
			continue;
		pipes_job(&w, JOB_SEAL);
		pipes_verdict(&w, 0, POLICY_SIGN);
		w.verdicts[0].format = ways[i].f;
		ck_assert_int_eq(pipes_run(&w, in, sizeof(in) - 1), JOB_REFUSE);
		ck_assert_str_eq(w.res.pr.enh, "5.6.3");
		w.rq.utf8 = true;
		ck_assert_int_eq(pipes_run(&w, in, sizeof(in) - 1), JOB_DONE);
	}
}
END_TEST

/* With nothing protected nothing is added, and nothing is found. */
START_TEST(unknown_reader)
{
	static const struct format none = {.wrap = FORMAT_WRAP_NONE};
	enum policy_treatment t = _i == 0 ? POLICY_SEAL : POLICY_SIGN;
	struct buf b = sealed_as(t, &none, messages[0]);

	ck_assert(in_header(buf_str(&b), "Subject: HIDDENSUBJECT\r\n"));
	ck_assert_ptr_null(strstr(buf_str(&b), "; hp="));
	ck_assert_int_eq(open_in(kind_for(t), &b, JUDGE_TRUST_GOOD, false), JOB_DONE);
	ck_assert(!says("X-Postern-Headers") && !says("hp="));
	buf_clear(&b);
}
END_TEST

static void assert_nowhere(const char *secret)
{
	ck_assert_msg(!says(secret), "%s in:\n%s", secret, pipes_text(&w, 0));
}

/* Bcc: not outside, not inside, not in HP-Outer. Trace of the way inside: outside only. */
START_TEST(what_never_goes_inside)
{
	static const char text[] =
	    "Received: from ward by mail; now\r\nDKIM-Signature: v=1; d=hospital.example\r\n" WHO
	    "Bcc: secret@lab.example\r\nresent-BCC: secret@lab.example\r\nHP-Outer: Subject: "
	    "forged\r\nX-Postern-Verdict: "
	    "sealed\r\nSubject: s\r\n" ID "\r\nbody\r\n";
	struct buf b = sealed_as(ways[_i].t, &ways[_i].f, text);

	ck_assert_ptr_null(strstr(buf_str(&b), "secret@"));
	ck_assert_ptr_nonnull(strstr(buf_str(&b), "Received: from ward"));
	ck_assert_ptr_null(strstr(buf_str(&b), "forged"));
	ck_assert_int_eq(open_in(kind_for(ways[_i].t), &b, JUDGE_TRUST_GOOD, false), JOB_DONE);
	assert_nowhere("secret@");
	assert_nowhere("forged");
	assert_nowhere("X-Postern-Verdict: sealed\r\nSubject");
	ck_assert_ptr_nonnull(strstr(delivered(), "DKIM-Signature: v=1"));
	ck_assert_ptr_null(strstr(strstr(delivered(), "DKIM-Signature: v=1") + 1, "DKIM-Signature: v=1"));
	ck_assert(says("X-Postern-Headers: protected\r\n"));
	buf_clear(&b);
}
END_TEST

/* Message-ID and Date that the gateway adds are the same inside and outside. */
START_TEST(added_once)
{
	struct buf b = sealed_as(ways[_i].t, &ways[_i].f, WHO "Subject: s\r\n\r\nbody\r\n");
	char date[64] = "", *p;

	p = strstr(buf_str(&b), "\r\nDate: ");
	ck_assert_ptr_nonnull(p);
	snprintf(date, sizeof(date), "%.*s", (int)strcspn(p + 2, "\r"), p + 2);
	ck_assert(in_header(buf_str(&b), "Message-ID: <1A2B3C@gw.hospital.example>\r\n"));
	ck_assert_int_eq(open_in(kind_for(ways[_i].t), &b, JUDGE_TRUST_GOOD, false), JOB_DONE);
	ck_assert(says("X-Postern-Headers: protected\r\n"));
	ck_assert(in_header(delivered(), date));
	ck_assert(in_header(delivered(), "Message-ID: <1A2B3C@gw.hospital.example>\r\n"));
	buf_clear(&b);
}
END_TEST

/* ---- shown in the text, for old readers ---- */

#define TOP WHO "Subject: =?utf-8?q?HIDDEN_b=C3=A4r?= SUBJECT\r\n" ID "MIME-Version: 1.0\r\n"
#define HTML "<html><head><title>x</title></head><body class=\"a\">"
/* what is shown: as it stands in the entity, its transfer encoding undone; NULL when the text has no place for it */
static const struct {
	const char *text, *shown;
} displays[] = {
    {TOP "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nbody\r\n",
	"\r\n\r\nSubject: HIDDEN b\xc3\xa4r SUBJECT\r\n\r\nbody\r\n"},
    {TOP
	"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nb=C3=B6dy=\r\n"
	" x\r\n",
	"\r\n\r\nSubject: HIDDEN b=C3=A4r SUBJECT\r\n\r\nb=C3=B6dy"},
    {TOP "Content-Type: text/plain\r\n\r\nbody\r\n",
	"\r\n\r\nSubject: =?utf-8?q?HIDDEN_b=C3=A4r?= SUBJECT\r\n\r\nbody\r\n"},
    {TOP "\r\nbody\r\n", "\r\n\r\nSubject: =?utf-8?q?HIDDEN_b=C3=A4r?= SUBJECT\r\n\r\nbody\r\n"},
    {TOP "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" HTML
	 "<p>body</p></body>\r\n",
	HTML
	"<div class=\"header-protection-legacy-display\"><pre>Subject: HIDDEN b\xc3\xa4r SUBJECT\r\n</pre></div><p>"},
    {TOP "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<html><BO=\r\n"
	 "DY><p>body=\r\n</p>\r\n",
	"<pre>Subject"},
    {TOP "Content-Type: text/html\r\n\r\n<p>no body element</p>\r\n",
	"\r\n\r\n<div class=\"header-protection-legacy-display\"><pre>Subject: "},
    /* base64 of "The text of it\r\n", in lines of any length */
    {TOP "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
	 "base64\r\n\r\nVGhlIHRleHQgb2YgaXQNCg==\r\n",
	"\r\nVGhlIHRleHQgb2YgaXQNCg==\r\n"},
    {TOP "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
	 "base64\r\n\r\nVGhl\r\nIHRleHQgb2YgaX\r\nQNCg==",
	"\r\nVGhl\r\nIHRleHQgb2YgaX\r\nQNCg=="},
    {TOP "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: multipart/alternative; "
	 "boundary=a\r\n\r\n--a\r\n\r\nplain\r\n--a\r\nContent-Type: text/html\r\n\r\n" HTML
	 "html</body>\r\n--a--\r\n--m\r\nContent-Type: text/plain\r\nContent-Disposition: "
	 "attachment\r\n\r\nattached\r\n--m\r\n\r\nsecond\r\n--m--\r\n",
	"SUBJECT\r\n\r\nplain\r\n--a\r\nContent-Type: text/html; hp-legacy-display=\"1\"\r\n\r\n" HTML "<div "},
    {TOP "Content-Type: text/plain; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n\r\nAGEAYg==\r\n", NULL},
    {TOP "Content-Type: application/pdf\r\n\r\n%PDF\r\n", NULL},
    {TOP "Content-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nattached\r\n", NULL},
    {TOP "Content-Type: text/plain; charset=utf-8\r\n\r\n", NULL},
};
enum { DISPLAYS = sizeof(displays) / sizeof(displays[0]) };

/* What lies in a sealed message, under both layers. */
static struct buf inside_of(const struct buf *b)
{
	struct cms_outline *o = NULL;
	struct cms_verdict v = {0};
	struct stream_mem m;
	struct stream_buf to;
	struct problem pr = {0};
	struct buf der, mid, out;

	pipes_unwrap(b, &der);
	buf_init(&mid, PIPES_MAX);
	stream_buf_init(&to, &mid);
	stream_mem_init(&m, der.p, der.len);
	ck_assert_int_eq(cms_outline(&m.reader, &cms_limits_default, &o, &pr), 0);
	ck_assert_msg(cms_decrypt(o, w.lab.x, w.lab.key, NULL, &to.writer, &pr) == 0, "%s", pr.text);
	cms_outline_free(o);
	buf_clear(&der);
	pipes_unwrap(&mid, &der);
	buf_init(&out, PIPES_MAX);
	stream_buf_init(&to, &out);
	stream_mem_init(&m, der.p, der.len);
	ck_assert_int_eq(cms_outline(&m.reader, &cms_limits_default, &o, &pr), 0);
	ck_assert_msg(cms_verify(o, NULL, &to.writer, &v, &pr) == 0, "%s", pr.text);
	cms_verdict_clear(&v);
	cms_outline_free(o);
	buf_clear(&mid);
	buf_clear(&der);
	return out;
}

static void display_back(size_t i)
{
	static const struct format f = {.wrap = FORMAT_WRAP_FIELDS, .legacy_display = true};
	struct buf b = sealed_as(POLICY_SEAL, &f, displays[i].text), in = inside_of(&b);

	ck_assert_msg((strstr(buf_str(&in), "hp-legacy-display=\"1\"") != NULL) == (displays[i].shown != NULL), "%s",
	    buf_str(&in));
	if (displays[i].shown != NULL)
		ck_assert_msg(strstr(buf_str(&in), displays[i].shown) != NULL, "%s", buf_str(&in));
	ck_assert_int_eq(open_in(JOB_OPEN, &b, JUDGE_TRUST_GOOD, false), JOB_DONE);
	ck_assert_msg(
	    strcmp(delivered(), displays[i].text) == 0, "inside:\n%s\n--- delivered:\n%s", buf_str(&in), delivered());
	/* not trusted: the text is as it was sent */
	ck_assert_int_eq(open_in(JOB_OPEN, &b, JUDGE_TRUST_UNTRUSTED, true), JOB_DONE);
	ck_assert(says("hp-legacy-display") == (displays[i].shown != NULL));
	buf_clear(&b);
	buf_clear(&in);
}

START_TEST(display_there_and_back)
{
	for (size_t i = 0; i < DISPLAYS; i++)
		display_back(i);
}
END_TEST

/* ---- what is done outside ---- */

static struct buf changed(const struct buf *b, const char *from, const char *to)
{
	const char *text = buf_str((struct buf *)(uintptr_t)b), *at = strstr(text, from);
	struct buf out;

	ck_assert_msg(at != NULL, "no %s in\n%s", from, text);
	buf_init(&out, PIPES_MAX);
	ck_assert_int_eq(buf_add(&out, text, (size_t)(at - text)), 0);
	ck_assert_int_eq(buf_adds(&out, to), 0);
	ck_assert_int_eq(buf_adds(&out, at + strlen(from)), 0);
	return out;
}

static const struct {
	const char *from, *to, *said; /* said: NULL when it is nothing to speak of */
	const char *shown;	      /* must be shown */
	const char *hidden;	      /* must not be shown; NULL when nothing was put there that could be */
} outside[] = {
    {"Subject: [...]", "Subject: pay at once", ": Subject\r\n", "Subject: HIDDENSUBJECT\r\n", "pay at once"},
    {"To: bob@lab.example", "To: eve@evil.example", ": To\r\n", "To: bob@lab.example\r\n", "eve@"},
    {"From: Doctor", "Reply-To: eve@evil.example\r\nFrom: Doctor", ": Reply-To\r\n", "From: Doctor", "eve@"},
    {"From: Doctor", "Cc: eve@evil.example\r\nFrom: Doctor", ": Cc\r\n", "From: Doctor", "eve@"},
    {"From: Doctor", "Disposition-Notification-To: eve@evil.example\r\nFrom: Doctor",
	"\r\n Disposition-Notification-To\r\n", "From: Doctor", "eve@"},
    {"Date: Sun, 22 Nov 2026 02:00:00 +0000\r\n", "", ": Date\r\n", "Date: Sun", NULL},
    {"From: Doctor <doctor@hospital.example>", "From: \"Eve\" <doctor@hospital.example>", ": From\r\n",
	"From: Doctor <", "Eve"},
    /* a relay folds, or adds what is its own */
    {"From: Doctor <doctor@hospital.example>", "From:\tDoctor\r\n\t<doctor@hospital.example> ", NULL,
	"From: Doctor <", "From:\t"},
    {"From: Doctor", "X-Spam-Score: 3\r\nReceived: from a by b; now\r\nFrom: Doctor", NULL, "X-Spam-Score: 3\r\n",
	"outside they are not"},
    {"From: Doctor", "HP-Outer: Subject: pay at once\r\nFrom: Doctor", NULL, "Subject: HIDDENSUBJECT", "pay at once"},
};

START_TEST(changed_outside)
{
	struct buf b = sealed_as(POLICY_SEAL, &ways[0].f, messages[0]);
	struct buf c = changed(&b, outside[_i].from, outside[_i].to);

	ck_assert_int_eq(open_in(JOB_OPEN, &c, JUDGE_TRUST_GOOD, false), JOB_DONE);
	ck_assert(says("smime=pass"));
	if (outside[_i].said == NULL)
		ck_assert_msg(says("X-Postern-Headers: protected\r\n"), "%s", pipes_text(&w, 0));
	else
		ck_assert_msg(
		    says("outside they are not as they") && says(outside[_i].said), "%s", pipes_text(&w, 0));
	ck_assert_msg(in_header(delivered(), outside[_i].shown), "%s", pipes_text(&w, 0));
	if (outside[_i].hidden != NULL)
		assert_nowhere(outside[_i].hidden);
	buf_clear(&b);
	buf_clear(&c);
}
END_TEST

/* Another author outside: the signer is asked about with the author inside, who is the one that is shown. */
START_TEST(author_outside)
{
	struct buf b = sealed_as(ways[_i].t, &ways[_i].f, messages[0]);
	struct buf c = changed(&b, "From: Doctor <doctor@hospital.example>", "From: eve@evil.example");
	enum job_kind kind = kind_for(ways[_i].t);

	pipes_job(&w, kind);
	ck_assert_int_eq(pipes_run_buf(&w, &c), JOB_NEEDS_TRUST);
	ck_assert_str_eq(w.res.signers.from, "doctor@hospital.example");
	ck_assert_int_eq(open_in(kind, &c, JUDGE_TRUST_GOOD, false), JOB_DONE);
	ck_assert(says("From: Doctor <doctor@hospital.example>\r\n") && says("the author inside is not the one"));
	ck_assert_str_eq(w.res.from_domain, "hospital.example");
	ck_assert_ptr_null(strstr(delivered(), "eve@"));
	/* nobody vouches for the author inside: the one outside stays */
	ck_assert_int_eq(open_in(kind, &c, JUDGE_TRUST_UNBOUND, true), JOB_DONE);
	ck_assert(!says("smime=pass"));
	ck_assert(in_header(delivered(), "From: eve@evil.example\r\n"));
	ck_assert(!in_header(delivered(), "doctor@hospital.example"));
	buf_clear(&b);
	buf_clear(&c);
}
END_TEST

/* The author outside is whom the signer speaks for; inside stands another one. The judge is never asked about the one
 * outside, so that a good signature of one's own lends nobody else's name. */
START_TEST(another_name_inside)
{
	static const struct format f = {.wrap = FORMAT_WRAP_FIELDS};
	struct buf b = sealed_as(POLICY_SEAL, &f,
	    "From: chief@hospital.example\r\nTo: bob@lab.example\r\nSubject: s\r\n" ID "\r\nbody\r\n");
	struct buf c = changed(&b, "From: chief@hospital.example", "From: doctor@hospital.example");

	pipes_job(&w, JOB_OPEN);
	ck_assert_int_eq(pipes_run_buf(&w, &c), JOB_NEEDS_TRUST);
	ck_assert_str_eq(w.res.signers.from, "chief@hospital.example");
	buf_clear(&b);
	buf_clear(&c);
}
END_TEST

/* Two authors outside are nobody, and not another author than the one inside. */
START_TEST(nobody_outside)
{
	static const struct format f = {.wrap = FORMAT_WRAP_FIELDS};
	struct buf b = sealed_as(POLICY_SEAL, &f, messages[0]), c;

	c = changed(&b, "From: Doctor <", "From: eve@evil.example\r\nFrom: Doctor <");
	pipes_job(&w, JOB_OPEN);
	ck_assert_int_eq(pipes_run_buf(&w, &c), JOB_HOLD);
	ck_assert_msg(
	    strstr(w.res.why, "2 From fields") != NULL && strstr(w.res.why, "another") == NULL, "%s", w.res.why);
	buf_clear(&b);
	buf_clear(&c);
}
END_TEST

/* ---- signatures that are not good ---- */

START_TEST(not_good)
{
	static const enum judge_trust_state states[] = {JUDGE_TRUST_UNTRUSTED, JUDGE_TRUST_UNBOUND};
	size_t way = (size_t)_i % WAYS;
	struct buf b = sealed_as(ways[way].t, &ways[way].f, messages[0]), c;

	c = changed(&b, "From: Doctor <", "From: Outside <");
	ck_assert_int_eq(open_in(kind_for(ways[way].t), &c, states[_i / WAYS], true), JOB_DONE);
	ck_assert(!says("smime=pass") && !says("X-Postern-Headers: protected\r\n"));
	ck_assert(in_header(delivered(), "From: Outside <doctor@hospital.example>\r\n"));
	ck_assert(strncmp(strstr(delivered(), "\r\n\r\n"), "\r\n\r\nbody", 8) == 0 || ways[way].t == POLICY_SIGN ||
		  ways[way].f.inside == FORMAT_MULTIPART);
	/* what was hidden is shown with the text it belongs to, marked; never lost */
	ck_assert(says("HIDDENSUBJECT"));
	if (ways[way].t == POLICY_SEAL)
		ck_assert_msg(in_header(delivered(), "Subject: [not verified] HIDDENSUBJECT\r\n"), "%s", delivered());
	buf_clear(&b);
	buf_clear(&c);
}
END_TEST

/* The author's own program signed before: the fields lie around that signature, which is the one that decides. What
 * was hidden outside is not lost for it. */
START_TEST(signed_before)
{
	static const enum judge_trust_state states[] = {JUDGE_TRUST_GOOD, JUDGE_TRUST_UNTRUSTED, JUDGE_TRUST_UNBOUND};
	struct format own = {.alone = _i % 2 ? FORMAT_OPAQUE : FORMAT_MULTIPART};
	struct format f = {.wrap = FORMAT_WRAP_FIELDS};
	struct buf by_author = sealed_as(POLICY_SIGN, &own, messages[0]);
	struct buf b = sealed_as(POLICY_SEAL, &f, buf_str(&by_author));

	ck_assert_ptr_null(strstr(buf_str(&b), "HIDDENSUBJECT"));
	ck_assert_int_eq(open_in(JOB_OPEN, &b, states[_i / 2], true), JOB_DONE);
	if (states[_i / 2] == JUDGE_TRUST_GOOD)
		ck_assert_msg(in_header(delivered(), "Subject: HIDDENSUBJECT\r\n"), "%s", delivered());
	else
		ck_assert_msg(in_header(delivered(), "Subject: [not verified] HIDDENSUBJECT\r\n"), "%s", delivered());
	ck_assert(says("X-Postern-Headers: protected\r\n") == (states[_i / 2] == JUDGE_TRUST_GOOD));
	ck_assert(says("body\r\n"));
	buf_clear(&by_author);
	buf_clear(&b);
}
END_TEST

/* ---- messages of others ---- */

/* Around an entity an envelope alone: nobody signed it. */
static struct buf only_sealed(const char *fields, const char *entity)
{
	struct buf der, out;

	pipes_envelope(w.lab.x, entity, strlen(entity), &der);
	pipes_wrap(fields, "enveloped-data", &der, &out);
	buf_clear(&der);
	return out;
}

/* The entity signed by the hospital, opaque, in an envelope. */
static struct buf signed_sealed(const char *fields, const char *entity)
{
	struct stream_mem m;
	struct stream_buf to;
	struct problem pr = {0};
	struct buf der, mid, out;
	struct cms_signer s = {.cert = w.hospital.x, .key = w.hospital.key, .domain = "hospital.example"};

	buf_init(&der, PIPES_MAX);
	stream_buf_init(&to, &der);
	stream_mem_init(&m, entity, strlen(entity));
	ck_assert_msg(cms_sign(&m.reader, &s, NULL, &to.writer, &pr) == 0, "%s", pr.text);
	pipes_wrap("", "signed-data", &der, &mid);
	out = only_sealed(fields, buf_str(&mid));
	buf_clear(&der);
	buf_clear(&mid);
	return out;
}

#define OUT "From: doctor@hospital.example\r\nTo: bob@lab.example\r\nSubject: ...\r\n" ID
#define INNER "From: doctor@hospital.example\r\nTo: bob@lab.example\r\nSubject: INNERSUBJECT\r\n" ID

/* Fields that are not inside stay, and nothing says that they were changed. */
START_TEST(few_inside)
{
	struct buf b = signed_sealed(
	    OUT, "Subject: INNERSUBJECT\r\nContent-Type: text/plain; protected-headers=\"v1\"\r\n\r\nbody\r\n");

	ck_assert_int_eq(open_in(JOB_OPEN, &b, JUDGE_TRUST_GOOD, false), JOB_DONE);
	ck_assert_msg(says("X-Postern-Headers: protected; only some of them, the others are those outside\r\n"), "%s",
	    delivered());
	ck_assert(in_header(
	    delivered(), "From: doctor@hospital.example\r\nTo: bob@lab.example\r\nSubject: INNERSUBJECT\r\n" ID));
	buf_clear(&b);
}
END_TEST

static const struct {
	const char *name, *entity;
	bool found;
	const char *shown;  /* in the header */
	const char *hidden; /* must not be anywhere; NULL when the header alone is looked at */
} others[] = {
    {"protected-headers v1",
	INNER "Content-Type: text/plain; charset=utf-8; protected-headers=\"v1\"\r\n\r\nbody\r\n", true,
	"Content-Type: text/plain; charset=utf-8\r\n", "protected-headers"},
    {"protected-headers v1, the Subject alone",
	"Subject: INNERSUBJECT\r\nContent-Type: text/plain; protected-headers=\"v1\"\r\n\r\nbody\r\n", true,
	"To: bob@lab.example\r\n", "..."},
    {"hp, the Subject alone", "Subject: INNERSUBJECT\r\nContent-Type: text/plain; hp=\"clear\"\r\n\r\nbody\r\n", true,
	ID, "..."},
    {"protected-headers v1, Memory Hole, fields on the root",
	INNER "Content-Type: multipart/mixed; boundary=\"b\"; protected-headers=\"v1\"\r\n\r\n--b\r\nContent-Type: "
	      "text/rfc822-headers; protected-headers=\"v1\"\r\nContent-Disposition: inline\r\n\r\nSubject: "
	      "INNERSUBJECT\r\n\r\n--b\r\n\r\nbody\r\n--b--\r\n",
	true, "Content-Type: multipart/mixed; boundary=\"b\"\r\n", "..."},
    {"protected-headers v1, Memory Hole, fields in the part",
	"Content-Type: multipart/mixed; boundary=b; protected-headers=v1\r\n\r\n--b\r\nContent-Type: "
	"text/rfc822-headers; protected-headers=\"v1\"\r\n\r\nSubject: INNERSUBJECT\r\nFrom: "
	"doctor@hospital.example\r\n\r\n--b\r\n\r\nbody\r\n--b--\r\n",
	true, "From: doctor@hospital.example\r\n", "..."},
    {"forwarded=no",
	"Content-Type: message/rfc822; forwarded=no\r\n\r\nFrom: doctor@hospital.example\r\nSubject: "
	"INNERSUBJECT\r\nMessage-ID: <9@hospital.example>\r\n\r\nbody\r\n",
	true, "Message-ID: <9@hospital.example>\r\n", "message/rfc822"},
    {"protected-headers=wrapped",
	"Content-Type: message/rfc822; protected-headers=\"wrapped\"\r\n\r\nFrom: "
	"doctor@hospital.example\r\nSubject: "
	"INNERSUBJECT\r\nMessage-ID: <9@hospital.example>\r\n\r\nbody\r\n",
	true, "Message-ID: <9@hospital.example>\r\n", "message/rfc822"},
    {"the same Message-ID", "Content-Type: message/rfc822\r\n\r\n" INNER "\r\nbody\r\n", true,
	"Subject: INNERSUBJECT\r\n", "message/rfc822"},
    {"forwarded=yes", "Content-Type: message/rfc822; forwarded=yes\r\n\r\n" INNER "\r\nbody\r\n", false,
	"Content-Type: message/rfc822", NULL},
    {"another Message-ID",
	"Content-Type: message/rfc822\r\n\r\nFrom: doctor@hospital.example\r\nSubject: INNERSUBJECT\r\nMessage-ID: "
	"<9@hospital.example>\r\n\r\nbody\r\n",
	false, "Subject: ...\r\n", NULL},
    {"another author",
	"Content-Type: message/rfc822\r\n\r\nFrom: chief@hospital.example\r\nSubject: INNERSUBJECT\r\n" ID
	"\r\nbody\r\n",
	false, "From: doctor@hospital.example\r\n", NULL},
    {"no fields under the mark", "Content-Type: text/plain; hp=\"cipher\"\r\n\r\nINNERSUBJECT\r\n", false,
	"Subject: ...\r\n", NULL},
    {"a mark that is none", INNER "Content-Type: text/plain; hp=\"other\"\r\n\r\nINNERSUBJECT\r\n", false,
	"Subject: ...\r\n", NULL},
    {"not on the root",
	"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" INNER
	"Content-Type: text/plain; hp=\"cipher\"\r\n\r\nbody\r\n--b--\r\n",
	false, "Subject: ...\r\n", NULL},
    {"hp clear under encryption", INNER "Content-Type: text/plain; hp=\"clear\"\r\n\r\nbody\r\n", true,
	"Subject: INNERSUBJECT\r\n", "hp="},
    {"legacy display in base64, not at the end of a group of four",
	INNER "Content-Type: text/plain; hp=\"cipher\"; hp-legacy-display=\"1\"\r\nContent-Transfer-Encoding: "
	      "base64\r\n\r\nU3ViamVjdDogSU5ORVJTVUJKRUNUDQoNCnRoZSBib2R5IG9mIGl0LCBpbiBtb3JlIHRoYW4gb25l\r\nIGxpbmUg"
	      "b2YgYmFzZTY0LCB3aGljaCBpcyB3cml0dGVuIGFuZXcgYmVoaW5kIHRoZSBjdXQNCg==\r\n",
	true, "Content-Type: text/plain\r\n", "U3ViamVjdDog"},
    {"the same, and then no base64: it stays",
	INNER "Content-Type: text/plain; hp=\"cipher\"; hp-legacy-display=\"1\"\r\nContent-Transfer-Encoding: "
	      "base64\r\n\r\nU3ViamVjdDogSU5ORVJTVUJKRUNUDQoNCnRoZSBib2R5IG9mIGl0LCBpbiBtb3JlIHRoYW4gb25l\r\nIGxpbmUg"
	      "b2YgYmFzZTY0LCB3aGljaCBpcyB3cml0dGVuIGFuZXcgYmVoaW5kIHRoZSBjdXQNCg==\r\n!!!\r\n",
	true, "hp-legacy-display", "dGhlIGJvZHkgb2Yg"},
    {"legacy display that says something else: it stays",
	INNER
	"Content-Type: text/plain; hp=\"cipher\"; hp-legacy-display=\"1\"\r\n\r\nSubject: ANOTHER\r\n\r\nbody\r\n",
	true, "hp-legacy-display", NULL},
    {"verdicts inside are nobody's",
	"X-Postern-Verdict: forged\r\nAuthentication-Results: auth.lab.example; smime=pass "
	"(forged)\r\nAuthentication-Results: mx.lab.example; spf=pass (forged)\r\n" INNER
	"Content-Type: text/plain; hp=\"cipher\"\r\n\r\nbody INNERSUBJECT\r\n",
	true, "Subject: INNERSUBJECT\r\n", "forged"},
};
enum { OTHERS = sizeof(others) / sizeof(others[0]) };

static void by_other(size_t i, bool is_signed)
{
	struct buf b = is_signed ? signed_sealed(OUT, others[i].entity) : only_sealed(OUT, others[i].entity);

	ck_assert_msg(open_in(JOB_OPEN, &b, JUDGE_TRUST_GOOD, true) == JOB_DONE, "%s", w.res.why);
	ck_assert_msg(
	    says("X-Postern-Headers: protected") == others[i].found, "%s:\n%s", others[i].name, pipes_text(&w, 0));
	ck_assert_msg(in_header(delivered(), others[i].shown) ||
			  (!is_signed && in_header(delivered(), "Subject: [not verified] ")),
	    "%s:\n%s", others[i].name, delivered());
	ck_assert_msg(others[i].hidden == NULL || strstr(delivered(), others[i].hidden) == NULL, "%s:\n%s",
	    others[i].name, delivered());
	/* what is not taken for the message's own fields stays where it is */
	ck_assert_msg(
	    others[i].found || !in_header(delivered(), "INNERSUBJECT"), "%s:\n%s", others[i].name, delivered());
	ck_assert(says("INNERSUBJECT"));
	buf_clear(&b);
}

START_TEST(by_others)
{
	for (size_t i = 0; i < OTHERS; i++)
		by_other(i, _i == 0);
}
END_TEST

START_TEST(base64_behind_a_cut)
{
	struct buf b = signed_sealed(OUT,
	    INNER "Content-Type: text/plain; hp=\"cipher\"; hp-legacy-display=\"1\"\r\nContent-Transfer-Encoding: "
		  "base64\r\n\r\nU3ViamVjdDogSU5ORVJTVUJKRUNUDQoNCnRoZSBib2R5IG9mIGl0LCBpbiBtb3JlIHRoYW4gb25l\r\nIGxp"
		  "bmUgb2YgYmFzZTY0LCB3aGljaCBpcyB3cml0dGVuIGFuZXcgYmVoaW5kIHRoZSBjdXQNCg==\r\n");

	ck_assert_int_eq(open_in(JOB_OPEN, &b, JUDGE_TRUST_GOOD, false), JOB_DONE);
	ck_assert_msg(
	    strstr(delivered(),
		"\r\n\r\ndGhlIGJvZHkgb2YgaXQsIGluIG1vcmUgdGhhbiBvbmUgbGluZSBvZiBiYXNlNjQsIHdoaWNoIGlz\r\n") != NULL,
	    "%s", delivered());
	buf_clear(&b);
}
END_TEST

/* Fields of MIME among those in the part would make of the content what nobody looked at. */
START_TEST(type_in_the_part)
{
	struct buf b = only_sealed(OUT,
	    "Content-Type: multipart/mixed; boundary=b; protected-headers=v1\r\n\r\n--b\r\nContent-Type: "
	    "text/rfc822-headers; protected-headers=\"v1\"\r\n\r\nSubject: INNERSUBJECT\r\nContent-Type: "
	    "multipart/mixed; boundary=c\r\nBcc: eve@evil.example\r\n\r\n--b\r\n\r\nbody\r\n--b--\r\n");

	ck_assert_int_eq(open_in(JOB_OPEN, &b, JUDGE_TRUST_GOOD, true), JOB_DONE);
	ck_assert(in_header(delivered(), "INNERSUBJECT\r\n") && in_header(delivered(), "boundary=b"));
	ck_assert_msg(!in_header(delivered(), "boundary=c") && !in_header(delivered(), "Bcc"), "%s", delivered());
	buf_clear(&b);
}
END_TEST

/* Many parts with a display of many lines, and fields that are long to read: it ends soon all the same. */
START_TEST(many_displays)
{
	struct buf in, b;
	clock_t begin;

	buf_init(&in, PIPES_MAX);
	ck_assert_int_eq(buf_adds(&in, INNER "Comments: "), 0);
	for (int i = 0; i < 11000; i++)
		ck_assert_int_eq(buf_adds(&in, "=?utf-8?q?x"), 0);
	ck_assert_int_eq(
	    buf_adds(
		&in, "\r\nComments: y\r\nContent-Type: multipart/alternative; boundary=b; hp=\"cipher\"\r\n\r\n"),
	    0);
	for (int i = 0; i < 500; i++) {
		ck_assert_int_eq(
		    buf_adds(&in, "--b\r\nContent-Type: text/plain; hp-legacy-display=\"1\"\r\n\r\n"), 0);
		for (int k = 0; k < 63; k++)
			ck_assert_int_eq(buf_adds(&in, "Comments: y\r\n"), 0);
		ck_assert_int_eq(buf_adds(&in, "Comments: z\r\n\r\nbody\r\n"), 0);
	}
	ck_assert_int_eq(buf_adds(&in, "--b--\r\n"), 0);
	b = only_sealed(OUT, buf_str(&in));
	begin = clock();
	ck_assert_int_eq(open_in(JOB_OPEN, &b, JUDGE_TRUST_GOOD, true), JOB_DONE);
	ck_assert(says("Subject: [not verified] INNERSUBJECT"));
	ck_assert_int_lt((clock() - begin) / CLOCKS_PER_SEC, 10);
	buf_clear(&in);
	buf_clear(&b);
}
END_TEST

/* Nobody signed it, and inside stands another author: nothing of that is believed. */
START_TEST(sealed_by_anybody)
{
	struct buf b = only_sealed(OUT,
	    "From: chief@hospital.example\r\nReply-To: eve@evil.example\r\nSubject: INNERSUBJECT\r\nContent-Type: "
	    "text/plain; hp=\"cipher\"\r\n\r\nbody\r\n");

	ck_assert_int_eq(open_in(JOB_OPEN, &b, JUDGE_TRUST_GOOD, true), JOB_DONE);
	ck_assert(in_header(delivered(), "From: doctor@hospital.example\r\n"));
	ck_assert(in_header(delivered(), "Subject: [not verified] INNERSUBJECT\r\n"));
	assert_nowhere("chief@");
	assert_nowhere("eve@");
	buf_clear(&b);
}
END_TEST

/* Several authors inside, or none that can be read: a signature has nobody to be bound to. */
static const char *const no_author[] = {
    "From: doctor@hospital.example\r\nFrom: chief@hospital.example\r\n",
    "From: doctor@hospital.example, chief@hospital.example\r\n",
    "From:\r\n",
    "From: \"chief@hospital.example\" <doctor@hospital.example\r\n",
};

START_TEST(no_author_inside)
{
	struct buf e, b;

	buf_init(&e, 4096);
	ck_assert_int_eq(
	    buf_addf(&e, "%sSubject: INNERSUBJECT\r\nContent-Type: text/plain; hp=\"cipher\"\r\n\r\nbody\r\n",
		no_author[_i]),
	    0);
	b = signed_sealed(OUT, buf_str(&e));
	ck_assert_int_eq(open_in(JOB_OPEN, &b, JUDGE_TRUST_GOOD, true), JOB_DONE);
	ck_assert(!says("smime=pass") && says("smime=fail"));
	ck_assert(in_header(delivered(), "From: doctor@hospital.example\r\n"));
	assert_nowhere("chief@");
	buf_clear(&e);
	buf_clear(&b);
}
END_TEST

/* ---- to whom it was written ---- */

static const struct {
	const char *fields;
	bool noted; /* that a recipient does not stand there */
} to_whom[] = {
    {"To: bob@lab.example\r\n", false}, {"To: x@y.example\r\nCc: Bob <BOB@lab.example>\r\n", false},
    {"To: x@y.example\r\n", true}, {"To: not an address\r\n", true}, {"To: undisclosed-recipients:;\r\n", true},
    {"", false}, /* says nothing */
};

START_TEST(recipient_bound)
{
	struct buf e, b;

	buf_init(&e, 4096);
	ck_assert_int_eq(buf_addf(&e,
			     "From: doctor@hospital.example\r\n%sSubject: s\r\nContent-Type: text/plain; "
			     "hp=\"cipher\"\r\n\r\nbody\r\n",
			     to_whom[_i].fields),
	    0);
	b = signed_sealed(OUT, buf_str(&e));
	ck_assert_int_eq(open_in(JOB_OPEN, &b, JUDGE_TRUST_GOOD, false), JOB_DONE);
	ck_assert(says("smime=pass"));
	ck_assert_msg((strstr(w.res.outputs[0].why, "not every recipient") != NULL) == to_whom[_i].noted, "%s",
	    w.res.outputs[0].why);
	buf_clear(&e);
	buf_clear(&b);
}
END_TEST

/* ---- authors who sign for themselves, before their gateway does ---- */

static struct buf signed_by_author(void)
{
	static const char text[] = "Content-Type: text/plain\r\n\r\nsigned by the author\r\n";
	struct cms_signer s = {.cert = w.foreign.x, .key = w.foreign.key};
	struct problem pr = {0};
	struct stream_mem m;
	struct stream_buf to;
	struct buf der, out;

	buf_init(&der, PIPES_MAX);
	stream_buf_init(&to, &der);
	stream_mem_init(&m, text, sizeof(text) - 1);
	ck_assert_msg(cms_sign(&m.reader, &s, NULL, &to.writer, &pr) == 0, "%s", pr.text);
	pipes_wrap(WHO "Subject: HIDDENSUBJECT\r\n" ID, "signed-data", &der, &out);
	buf_clear(&der);
	return out;
}

/* The fields stand between the two signatures. Both good: they are shown. The author's not, which decides: what was
 * hidden is shown with the text. The gateway's not: nobody vouches for them either. */
START_TEST(author_signed)
{
	struct buf in = signed_by_author(), b = sealed_as(POLICY_SEAL, &ways[0].f, buf_str(&in)), c;
	struct judge_trust *t = &w.rq.trust;

	ck_assert_ptr_null(strstr(buf_str(&b), "HIDDENSUBJECT"));
	c = changed(&b, "To: bob@", "To: eve@");
	pipes_job(&w, JOB_OPEN);
	memset(w.rq.in_rules, POLICY_MARK, sizeof(w.rq.in_rules));
	ck_assert_int_eq(pipes_run_buf(&w, &c), JOB_NEEDS_TRUST);
	pipes_trust(&w, JUDGE_TRUST_GOOD);
	ck_assert_uint_eq(t->n, 2);
	if (_i > 0)
		t->v[_i == 1 ? 1 : 0].state = JUDGE_TRUST_UNTRUSTED;
	ck_assert_int_eq(pipes_run_buf(&w, &c), JOB_DONE);
	ck_assert_int_eq(says("smime=pass"), _i != 1);
	ck_assert_msg(in_header(delivered(), "Subject: HIDDENSUBJECT\r\n"), "%s", pipes_text(&w, 0));
	ck_assert(in_header(delivered(), _i == 0 ? "To: bob@" : "To: eve@"));
	ck_assert(says("signed by the author"));
	buf_clear(&in);
	buf_clear(&b);
	buf_clear(&c);
}
END_TEST

/* ---- limits ---- */

/* More fields, or more octets of them, than have room beside HP-Outer: the whole message goes inside instead. */
START_TEST(large_header)
{
	static const char field[] =
	    "X-Filler: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n";
	static const struct {
		size_t octets, len;
		bool whole;
	} sizes[] = {{30000, sizeof(field) - 1, false}, {80000, sizeof(field) - 1, true}, {8000, 13, true}};
	struct buf in, b, inner;

	buf_init(&in, PIPES_MAX);
	ck_assert_int_eq(buf_adds(&in, WHO "Subject: HIDDENSUBJECT\r\nMIME-Version: 1.0\r\n" ID), 0);
	while (in.len < sizes[_i].octets)
		ck_assert_int_eq(buf_addf(&in, "%.*s\r\n", (int)sizes[_i].len - 2, field), 0);
	ck_assert_int_eq(buf_adds(&in, "\r\nbody\r\n"), 0);
	b = sealed_as(POLICY_SEAL, &ways[0].f, buf_str(&in));
	ck_assert_ptr_null(strstr(buf_str(&b), "HIDDENSUBJECT"));
	inner = inside_of(&b);
	ck_assert_int_eq(strstr(buf_str(&inner), "message/rfc822") != NULL, sizes[_i].whole);
	ck_assert_int_eq(open_in(JOB_OPEN, &b, JUDGE_TRUST_GOOD, false), JOB_DONE);
	ck_assert(strcmp(delivered(), buf_str(&in)) == 0);
	buf_clear(&b);
	buf_clear(&in);
	buf_clear(&inner);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("unwrap");
	TCase *t = tcase_create("unwrap");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, hidden_fields, 0, WAYS);
	tcase_add_test(t, thousand_fields);
	tcase_add_loop_test(t, fields_in_seven, 0, WAYS);
	tcase_add_test(t, address_not_in_seven);
	tcase_add_loop_test(t, there_and_back, 0, WAYS);
	tcase_add_loop_test(t, unknown_reader, 0, 2);
	tcase_add_loop_test(t, what_never_goes_inside, 0, WAYS);
	tcase_add_loop_test(t, added_once, 0, WAYS);
	tcase_add_test(t, display_there_and_back);
	tcase_add_loop_test(t, changed_outside, 0, sizeof(outside) / sizeof(outside[0]));
	tcase_add_loop_test(t, author_outside, 0, WAYS);
	tcase_add_test(t, another_name_inside);
	tcase_add_test(t, nobody_outside);
	tcase_add_test(t, few_inside);
	tcase_add_loop_test(t, not_good, 0, 2 * (int)WAYS);
	tcase_add_loop_test(t, signed_before, 0, 6);
	tcase_add_loop_test(t, by_others, 0, 2);
	tcase_add_test(t, base64_behind_a_cut);
	tcase_add_test(t, type_in_the_part);
	tcase_add_test(t, many_displays);
	tcase_add_test(t, sealed_by_anybody);
	tcase_add_loop_test(t, no_author_inside, 0, sizeof(no_author) / sizeof(no_author[0]));
	tcase_add_loop_test(t, recipient_bound, 0, sizeof(to_whom) / sizeof(to_whom[0]));
	tcase_add_loop_test(t, large_header, 0, 3);
	tcase_add_loop_test(t, author_signed, 0, 3);
	suite_add_tcase(s, t);
	return fixture_run(s, PIPES_ALGOS);
}
