/*
 * A statement of the gateway under test. The input is one in DER; or, when it begins with a brace, the JSON of one,
 * which is signed here, so that its members are looked at too.
 */
#include "interop/kit/statement_check.h"

#include <openssl/cms.h>
#include <openssl/err.h>

#include "tests/fuzz/fuzz_kit.h"

#define STATEMENT_OID "2.25.6345284688943069982369138258631214205"
#define ATTRIBUTES (CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP)

static void sign(const struct credential *c, const uint8_t *data, size_t size, struct buf *der)
{
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, ATTRIBUTES);
	ASN1_OBJECT *type = OBJ_txt2obj(STATEMENT_OID, 1);
	BIO *in = BIO_new_mem_buf(data, (int)size);
	unsigned char *p = NULL;
	int n;

	REQUIRE(cms && type && in && CMS_set1_eContentType(cms, type) == 1);
	REQUIRE(CMS_add1_signer(cms, c->cert, c->key, EVP_sha256(), ATTRIBUTES | CMS_CADES) != NULL);
	REQUIRE(CMS_final(cms, in, NULL, CMS_BINARY) == 1);
	n = i2d_CMS_ContentInfo(cms, &p);
	REQUIRE(n > 0);
	buf_add(der, p, (size_t)n);
	OPENSSL_free(p);
	BIO_free(in);
	ASN1_OBJECT_free(type);
	CMS_ContentInfo_free(cms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct credential c;
	struct buf der = {0}, why = {0};
	size_t signers = 0;
	char id[44] = "";
	json_t *o;

	if (!c.cert)
		c = kit_credential(
		    "docs/xsmg/vectors/statement-p256.cert.pem", "docs/xsmg/vectors/statement-p256.key.pem");
	if (size > 0 && data[0] == '{')
		sign(&c, data, size, &der);
	else
		buf_add(&der, data, size);
	o = statement_check(&der, "lab.example", &signers, &why);
	if (o)
		REQUIRE((signers == 1 || signers == 2) && statement_id(&der, id) == 0 && strlen(id) == 43);
	else
		REQUIRE(why.n > 0);
	statement_id(&der, id);
	json_decref(o);
	buf_free(&der);
	buf_free(&why);
	ERR_clear_error();
	return 0;
}
