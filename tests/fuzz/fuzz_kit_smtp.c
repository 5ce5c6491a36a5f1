/* The kit's SMTP client before a gateway that says anything: one message to three. */
#include "interop/kit/smtp_client.h"

#include "tests/fuzz/fuzz_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *to[] = {text_copy("a@p.test"), text_copy("b@p.test"), text_copy("c@p.test")};
	struct buf transcript = {0}, why = {0};
	struct reply r = {0};
	int codes[3] = {-1, -1, -1}, code;

	code = smtp_send(kit_server(data, size), "kit.test", false, "k@kit.test", to, 3, "Subject: x\r\n\r\n.\r\n",
	    18, &transcript, &r, codes, NULL, &why);
	REQUIRE(code == -1 || (code == r.code && (code == 0 || (code >= 200 && code <= 599))));
	for (size_t i = 0; code >= 0 && i < 3; i++)
		REQUIRE(codes[i] == 0 || (codes[i] >= 200 && codes[i] <= 599));
	/* taken only when DATA was answered and the content went */
	if (code / 100 == 2)
		REQUIRE(octets_find(transcript.p, transcript.n, "-- 18 octets") != NULL);
	for (size_t i = 0; i < 3; i++)
		free(to[i]);
	buf_free(&r.text);
	buf_free(&transcript);
	buf_free(&why);
	return 0;
}
