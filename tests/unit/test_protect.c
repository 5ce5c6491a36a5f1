/* Which fields are what; the mark in Content-Type, there and back octet for octet; HP-Outer; what differs. */
#include "gateway/mail/protect.h"

#include "tests/unit/header_fixture.h"
#include "tests/unit/suite.h"

static const struct {
	const char *field;
	enum protect_kind kind;
	bool hidden, shown;
} kinds[] = {
    {"Subject: x\r\n", PROTECT_AUTHOR, true, true},
    {"thread-TOPIC: x\r\n", PROTECT_AUTHOR, true, true},
    {"From: x\r\n", PROTECT_AUTHOR, false, true},
    {"X-Anything: x\r\n", PROTECT_AUTHOR, false, false},
    {"Reply-To: x\r\n", PROTECT_AUTHOR, false, true},
    {"Disposition-Notification-To: x\r\n", PROTECT_AUTHOR, false, true},
    {"MIME-Version: 1.0\r\n", PROTECT_STRUCTURAL, false, false},
    {"content-odd: x\r\n", PROTECT_STRUCTURAL, false, false},
    {"Content: x\r\n", PROTECT_AUTHOR, false, false},
    {"Received: x\r\n", PROTECT_TRACE, false, false},
    {"ARC-Seal: x\r\n", PROTECT_TRACE, false, false},
    {"Arc: x\r\n", PROTECT_AUTHOR, false, false},
    {"Authentication-Results: x\r\n", PROTECT_TRACE, false, false},
    {"BCC: x\r\n", PROTECT_SECRET, false, false},
    {"Resent-Bcc: x\r\n", PROTECT_SECRET, false, false},
    {"X-Bcc: x\r\n", PROTECT_AUTHOR, false, false},
    {"hp-outer: x\r\n", PROTECT_RECORD, false, false},
};

START_TEST(kind)
{
	struct header h = header_of(kinds[_i].field);

	ck_assert_int_eq(protect_kind(&h.f[0]), kinds[_i].kind);
	ck_assert_int_eq(protect_is_hidden(&h.f[0]), kinds[_i].hidden);
	ck_assert_int_eq(protect_is_shown(&h.f[0]), kinds[_i].shown);
}
END_TEST

/* Without and with the mark, as it is written here. */
static const struct {
	const char *without, *with;
} marks[] = {
    {"Content-Type: text/plain\r\n", "Content-Type: text/plain; hp=\"cipher\"\r\n"},
    {"content-type:text/html;\r\n\tcharset=utf-8\r\n",
	"content-type:text/html; hp=\"cipher\";\r\n\tcharset=utf-8\r\n"},
    {"Content-Type: multipart (a) / (b) mixed (c) ; boundary=\"x; hp=y\"\r\n",
	"Content-Type: multipart (a) / (b) mixed; hp=\"cipher\" (c) ; boundary=\"x; hp=y\"\r\n"},
    {"Content-Type: text/plain;\r\n", "Content-Type: text/plain; hp=\"cipher\";\r\n"},
    {"Content-Type: text\r\n", "Content-Type: text; hp=\"cipher\"\r\n"},
    {"Content-Type:\r\n", "Content-Type:; hp=\"cipher\"\r\n"},
    {NULL, "Content-Type: text/plain;\r\n\thp=\"cipher\"\r\n"},
};

START_TEST(mark)
{
	struct header h = {0};
	struct header_field cut;
	struct buf b;

	buf_init(&b, 4096);
	if (marks[_i].without != NULL)
		h = header_of(marks[_i].without);
	ck_assert_int_eq(protect_type_put(&b, h.n > 0 ? &h.f[0] : NULL, "hp", "cipher"), 0);
	ck_assert_str_eq(buf_str(&b), marks[_i].with);
	h = header_of(buf_str(&b));
	ck_assert_int_eq(protect_type_made(&h.f[0]), marks[_i].without == NULL);
	ck_assert_int_eq(protect_type_cut(arena, &h.f[0], "hp", &cut), 0);
	ck_assert_uint_eq(cut.raw_len, marks[_i].without ? strlen(marks[_i].without) : 0);
	ck_assert(cut.raw_len == 0 || memcmp(cut.raw, marks[_i].without, cut.raw_len) == 0);
	for (size_t max = 1; max < strlen(marks[_i].with); max++) {
		struct buf small;

		buf_init(&small, max);
		ck_assert_int_eq(protect_type_put(&small, NULL, "hp", "cipher"), max < 41 ? -1 : 0);
		buf_clear(&small);
	}
	buf_clear(&b);
}
END_TEST

static const struct {
	const char *list, *field;
	bool hides;
} hidden[] = {
    {PROTECT_HIDE_DEFAULT, "subject: x\r\n", true},
    {PROTECT_HIDE_DEFAULT, "Thread-Topic: x\r\n", true},
    {PROTECT_HIDE_DEFAULT, "Thread: x\r\n", false},
    {PROTECT_HIDE_DEFAULT, "X-Patient: x\r\n", false},
    {"Subject,x-patient", "X-PATIENT: x\r\n", true},
    {"Subject,x-patient", "X-Patient-Id: x\r\n", false},
    {"", "Subject: x\r\n", false},
    {",,", "Subject: x\r\n", false},
};

START_TEST(hides)
{
	struct header h = header_of(hidden[_i].field);

	ck_assert_int_eq(protect_hides(hidden[_i].list, &h.f[0]), hidden[_i].hides);
}
END_TEST

/* Nothing by which mail is delivered, answered, threaded, traced or read. */
START_TEST(may_hide)
{
	static const char *const yes[] = {
	    "Subject", "Keywords", "Comments", "Thread-Topic", "X-Patient", "User-Agent", "Organization"};
	static const char *const no[] = {"", "From", "to", "CC", "Bcc", "Sender", "Reply-To", "date", "Message-Id",
	    "In-Reply-To", "References", "Received", "Return-Path", "Content-Type", "MIME-Version", "Resent-To",
	    "List-Id", "ARC-Seal", "DKIM-Signature", "Authentication-Results", "HP-Outer", "X-Postern-Verdict",
	    "Auto-Submitted", "a b", "a:b", "a,b", "f\xc3\xa4"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		ck_assert_msg(protect_may_hide(yes[i], NULL) == 0, "%s", yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		struct problem pr = {0};

		ck_assert_msg(protect_may_hide(no[i], &pr) == -1, "%s", no[i]);
		ck_assert_ptr_nonnull(strstr(pr.text, "never one by which"));
	}
}
END_TEST

/* What the author's program left there: of two parameters a reader takes either, so ours is the only one. */
static const struct {
	const char *name, *came, *goes;
} replaced[] = {
    {"hp", "Content-Type: text/plain; hp=\"clear\"; charset=utf-8\r\n",
	"Content-Type: text/plain; hp=\"1\"; charset=utf-8\r\n"},
    {"hp", "Content-Type: text/plain; charset=utf-8;\r\n HP=clear\r\n",
	"Content-Type: text/plain; hp=\"1\"; charset=utf-8\r\n"},
    {"hp", "Content-Type: text/plain; hp-legacy-display=\"1\" (x); a=b\r\n",
	"Content-Type: text/plain; hp=\"1\" (x); a=b\r\n"},
    {"hp", "Content-Type: a/b; Protected-Headers=v1; c=d; hp=x; hp=\"y\"\r\n",
	"Content-Type: a/b; hp=\"1\"; c=d\r\n"},
    {"hp", "Content-Type: a/b; hp*0=cl; hp*1=ear; hp*=''x; hpx=y; h=p\r\n",
	"Content-Type: a/b; hp=\"1\"; hpx=y; h=p\r\n"},
    {"hp", "Content-Type: a/b; x=\"; hp=clear\"\r\n", "Content-Type: a/b; hp=\"1\"; x=\"; hp=clear\"\r\n"},
    {"hp-legacy-display", "Content-Type: text/plain; hp=\"cipher\"; hp-legacy-display=0; a=b\r\n",
	"Content-Type: text/plain; hp-legacy-display=\"1\"; hp=\"cipher\"; a=b\r\n"},
};

START_TEST(mark_replaces)
{
	struct header h = header_of(replaced[_i].came);
	struct buf b;

	buf_init(&b, 4096);
	ck_assert_int_eq(protect_type_put(&b, &h.f[0], replaced[_i].name, "1"), 0);
	ck_assert_str_eq(buf_str(&b), replaced[_i].goes);
	buf_clear(&b);
}
END_TEST

/* As others write it. */
static const struct {
	const char *with, *without;
} cuts[] = {
    {"Content-Type: text/plain; charset=utf-8; HP=cipher\r\n", "Content-Type: text/plain; charset=utf-8\r\n"},
    {"Content-Type: text/plain; charset=\"utf-8\";\r\n hp=\"cipher\"; x=y\r\n",
	"Content-Type: text/plain; charset=\"utf-8\"; x=y\r\n"},
    {"Content-Type: text/plain; x=\"; hp=cipher\"\r\n", "Content-Type: text/plain; x=\"; hp=cipher\"\r\n"},
    {"Content-Type: text/plain; x=\"open; hp=cipher\r\n", "Content-Type: text/plain; x=\"open; hp=cipher\r\n"},
};

START_TEST(cut_of_others)
{
	struct header h = header_of(cuts[_i].with);
	struct header_field f;

	ck_assert_int_eq(protect_type_cut(arena, &h.f[0], "hp", &f), 0);
	ck_assert_uint_eq(f.raw_len, strlen(cuts[_i].without));
	ck_assert(memcmp(f.raw, cuts[_i].without, f.raw_len) == 0);
}
END_TEST

START_TEST(record)
{
	struct header h =
	    header_of("Subject:  a\r\n\tb\r\nHP-Outer:\r\n To: x@y.example\r\nHP-Outer: none\r\nHP-Outer: : "
		      "x\r\nHP-Outer: b d: x\r\n");
	struct header_field f;
	struct header back;
	struct buf b;

	buf_init(&b, 4096);
	ck_assert_int_eq(protect_record_put(&b, h.f[0].raw, h.f[0].raw_len), 0);
	ck_assert_str_eq(buf_str(&b), "HP-Outer: Subject:  a\r\n\tb\r\n");
	back = header_of(buf_str(&b));
	ck_assert_int_eq(protect_record_read(&back.f[0], &f), 0);
	ck_assert(protect_same(&f, &h.f[0]));
	ck_assert_int_eq(protect_record_read(&h.f[1], &f), 0);
	ck_assert(header_is(&f, "To"));
	for (size_t i = 2; i < 5; i++)
		ck_assert_int_eq(protect_record_read(&h.f[i], &f), -1);
	buf_clear(&b);
}
END_TEST

static const struct {
	const char *outside, *said, *names;
} pairs[] = {
    {"From: a\r\nTo: b\r\n", "To: b\r\nFrom: a\r\n", ""},
    {"From:a \r\n\t b\r\n", "from: a b\r\n", ""},
    {"From: a\r\n", "From: ab\r\n", "From"},
    {"From: a\r\nX-Spam: 1\r\nReceived: x\r\n", "From: a\r\n", ""},
    {"From: a\r\nCc: x\r\n", "From: a\r\n", "Cc"},
    {"From: a\r\n", "From: a\r\nX-One: 1\r\nTo: b\r\n", "X-One, To"},
    {"From: a\r\nFrom: a\r\n", "From: a\r\n", "From"},
    {"X-One: 1\r\nX-One: 2\r\n", "X-One: 2\r\nX-One: 1\r\n", "X-One"},
    {"Received: a\r\nMIME-Version: 1.0\r\n", "Received: b\r\nContent-Type: x\r\n", ""},
};

START_TEST(differs)
{
	struct header out = header_of(pairs[_i].outside), said = header_of(pairs[_i].said);
	char text[64];

	ck_assert_int_eq(protect_differs(arena, &out, &said, text, sizeof(text)) == 0, pairs[_i].names[0] == 0);
	ck_assert_str_eq(text, pairs[_i].names);
}
END_TEST

START_TEST(differs_in_many)
{
	struct header none = {0};
	char text[32];
	struct header said = header_of("X-Aaaaaaaa: 1\r\nX-Bbbbbbbb: 1\r\nX-Cccccccc: 1\r\nX-Dddddddd: 1\r\n");

	ck_assert_uint_eq(protect_differs(arena, &none, &said, text, sizeof(text)), 4);
	ck_assert_str_eq(text, "X-Aaaaaaaa, X-Bbbbbbbb ...");
}
END_TEST

#define LOOP(test, list) tcase_add_loop_test(t, test, 0, sizeof(list) / sizeof((list)[0]))

int main(void)
{
	Suite *s = suite_create("protect");
	TCase *t = tcase_create("protect");

	tcase_add_checked_fixture(t, header_setup, header_teardown);
	LOOP(kind, kinds);
	LOOP(mark, marks);
	LOOP(hides, hidden);
	tcase_add_test(t, may_hide);
	LOOP(mark_replaces, replaced);
	LOOP(cut_of_others, cuts);
	tcase_add_test(t, record);
	LOOP(differs, pairs);
	tcase_add_test(t, differs_in_many);
	suite_add_tcase(s, t);
	return suite_run(s);
}
