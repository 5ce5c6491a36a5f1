/* The table of section "format". Pure. */
#include "gateway/proc/format_settings.h"

#include "certstore/format.h"
#include "gateway/mail/protect.h"

static int check_format(const char *v, struct problem *pr)
{
	struct format f = format_default();
	unsigned given;

	if (format_read(v, &f, &given, pr) == 0 && format_fits(&f, given, pr) == 0)
		return 0;
	return problem_prefix(pr, "options such as cipher=aes-128-cbc between blanks; here "); /* "allowed is ..." */
}

static const struct setting rows[] = {
    {.name = "default",
	.type = SETTING_STR,
	.offset = offsetof(struct format_settings, dflt),
	.dflt = "",
	.max = FORMAT_TEXT_MAX - 1,
	.help =
	    "How mail is written where neither the partner's entry nor its own signed mail says otherwise: options "
	    "such as \"cipher=aes-128-cbc wrap=rfc9788\" (postern(1), partner set). What is not named here is "
	    "cipher=aes-256-cbc key=pkcs1 digest=auto signature=pkcs1 recipient-id=issuer inside=opaque "
	    "alone=multipart wrap=none subject=hidden legacy-display=no triple=no calendar=opaque. A GCM cipher "
	    "stands here for CBC with as long a key where mail is encrypted to one person's certificate: few "
	    "desktops "
	    "read GCM.",
	.check = check_format},
    {.name = "hide",
	.type = SETTING_LIST,
	.offset = offsetof(struct format_settings, hide),
	.dflt = PROTECT_HIDE_DEFAULT,
	.help =
	    "Header fields that stand inside an encryption alone where header fields are protected (wrap=rfc9788 or "
	    "wrap=message, without subject=outside); in place of the Subject stands [...]. Fields by which mail is "
	    "delivered, answered, threaded or traced cannot be hidden; {} hides none.",
	.check = protect_may_hide},
    {.name = "cipher-bits-min",
	.type = SETTING_INT,
	.offset = offsetof(struct format_settings, cipher_bits_min),
	.dflt = "128",
	.min = 128,
	.max = 256,
	.help =
	    "Shortest AES key that content is encrypted with, whatever a reader says that it can; a partner set to "
	    "less gets no mail. RC2, DES and 3DES are never used."},
    {.name = "rsa-bits-min",
	.type = SETTING_INT,
	.offset = offsetof(struct format_settings, rsa_bits_min),
	.dflt = "2048",
	.min = 2048,
	.max = 8192,
	.help =
	    "Shortest RSA key of a partner's certificate that mail is encrypted to; with a shorter one it counts as "
	    "not usable."},
    {.name = "learn",
	.type = SETTING_BOOL,
	.offset = offsetof(struct format_settings, learn),
	.dflt = "yes",
	.help = "Write for a partner with the ciphers and the RSA padding that its signed, believed mail says it can "
		"open (SMIMECapabilities, RFC 8551 2.5.2)."},
    {.name = "learn-max",
	.type = SETTING_INT,
	.offset = offsetof(struct format_settings, learn_max),
	.dflt = "100000",
	.min = 1,
	.max = 100000000,
	.help =
	    "Partners and people whose reader's abilities are remembered; of more nothing is learned, and nobody is "
	    "forgotten for others."},
    {.name = "learn-future-max",
	.type = SETTING_DURATION,
	.offset = offsetof(struct format_settings, learn_future_max),
	.dflt = "5m",
	.min = 0,
	.max = 24 * 3600 * 1000LL,
	.help =
	    "How far ahead of our clock the signing time of such mail may be; nothing is learned from mail that is "
	    "further ahead, or has none."},
};
const struct settings_section format_settings_section = {
    "format", rows, sizeof(rows) / sizeof((rows)[0]), sizeof(struct format_settings), false};
