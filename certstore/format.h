/*
 * How mail to one partner is written: algorithms and the shape of the message. The judge chooses it (what the
 * partner's signed mail said it can read, what the admin set, the default for an unknown reader), the sealer does it.
 * The numbers of algorithms are those of gateway/cms, which this folder cannot include. Pure.
 */
#ifndef POSTERN_CERTSTORE_FORMAT_H
#define POSTERN_CERTSTORE_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

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
	bool pss;		 /* RSASSA-PSS for an RSA key of ours */
	bool ski;		 /* recipients named by subjectKeyIdentifier */
	bool triple;		 /* signed again outside (RFC 2634) */
	bool subject_outside;	 /* the real Subject stands outside too; else "[...]" where a wrap protects it */
	bool legacy_display;	 /* RFC 9788 5.2.2: the hidden fields shown in the body, for old readers */
};

#endif
