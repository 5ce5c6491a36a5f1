/*
 * How mail to one partner is written: algorithms and the shape of the message. The judge chooses it (what the
 * partner's signed mail said it can read, what the admin set, the default for an unknown reader), the sealer does it.
 * The numbers of algorithms are those of gateway/cms, which this folder cannot include. Pure.
 */
#ifndef POSTERN_CERTSTORE_FORMAT_H
#define POSTERN_CERTSTORE_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/problem.h"

/* What stands around the header fields that are protected. */
enum format_wrap {
	FORMAT_WRAP_NONE,    /* nothing is protected: for readers of whom nothing is known */
	FORMAT_WRAP_FIELDS,  /* RFC 9788: the fields on the inner entity, hp="cipher" or hp="clear" */
	FORMAT_WRAP_MESSAGE, /* message/rfc822 (RFC 8551 3.1, healthcare) */
};
enum format_signed {
	FORMAT_OPAQUE,	  /* application/pkcs7-mime; smime-type=signed-data */
	FORMAT_MULTIPART, /* multipart/signed */
};
enum format_digest { FORMAT_DIGEST_AUTO, FORMAT_SHA256, FORMAT_SHA384, FORMAT_SHA512 };

struct format {
	uint8_t cipher, keymode; /* enum cms_cipher; enum cms_keymode for an RSA certificate */
	uint8_t digest;		 /* enum format_digest; AUTO: as strong as our key */
	uint8_t inside, alone;	 /* enum format_signed: of what is then encrypted; of treatment `sign` */
	uint8_t wrap;		 /* enum format_wrap */
	uint8_t calendar;	 /* enum format_signed: `alone` for invitations and TNEF */
	bool pss;		 /* RSASSA-PSS for an RSA key of ours */
	bool ski;		 /* recipients named by subjectKeyIdentifier */
	bool triple;		 /* signed again outside (RFC 2634) */
	bool subject_outside;	 /* the real Subject stands outside too; else "[...]" where a wrap protects it */
	bool legacy_display;	 /* RFC 9788 5.2.2: the hidden fields shown in the body, for old readers */
	bool bare;		 /* encrypted without a signature: all that its statement says it reads; no option */
};

/* As text: "cipher=aes-256-gcm key=oaep-sha256 wrap=rfc9788", each option at most once, between blanks or commas. */
enum format_option {
	FORMAT_CIPHER,
	FORMAT_KEY,
	FORMAT_DIGEST,
	FORMAT_SIGNATURE,
	FORMAT_RECIPIENT_ID,
	FORMAT_INSIDE,
	FORMAT_ALONE,
	FORMAT_WRAP,
	FORMAT_SUBJECT,
	FORMAT_LEGACY_DISPLAY,
	FORMAT_TRIPLE,
	FORMAT_CALENDAR,
	FORMAT_OPTIONS
};
#define FORMAT_GIVEN(option) (1u << (option))
#define FORMAT_ALL ((1u << FORMAT_OPTIONS) - 1)
enum { FORMAT_TEXT_MAX = 320 };

/* Sets in *f what the text names and leaves the rest; *given_r has the bit of each option named. 0; -1 with a
 * sentence that lists what is allowed (PERM), *f unchanged. "" names nothing. */
int format_read(const char *text, struct format *f, unsigned *given_r, struct problem *pr)
    __attribute__((warn_unused_result));
/* Do the options named go with the others of f? 0; -1 with a sentence (PERM). For what an admin says now: what is
 * stored already only has no effect. */
int format_fits(const struct format *f, unsigned given, struct problem *pr) __attribute__((warn_unused_result));
/* The options whose bits are in `which`, in the order above. */
void format_print(const struct format *f, unsigned which, char out[FORMAT_TEXT_MAX]);

/* For a reader of whom nothing is known: what every reader has had for ten years. */
struct format format_default(void);
const char *format_cipher_word(uint8_t cipher);
unsigned format_cipher_bits(uint8_t cipher);

#endif
