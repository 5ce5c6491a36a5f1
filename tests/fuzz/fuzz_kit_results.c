/* A stranger's results.json: what is taken can be shown, as HTML, as XML 1.0 and on a terminal. */
#include "interop/kit/compare.h"
#include "interop/kit/report.h"
#include "interop/kit/result.h"
#include "tests/fuzz/fuzz_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf why = {0}, html = {0}, junit = {0}, say = {0};
	json_t *r;

	kit_file("results.json", data, size);
	r = result_read(kit_dir(), &why);
	REQUIRE(r || why.n > 0);
	if (r) {
		REQUIRE(report_render(kit_dir(), &html, &junit, &why) == 0 || why.n > 0);
		if (html.n > 0)
			kit_shown(html.p, html.n);
		if (junit.n > 0)
			kit_shown(junit.p, junit.n);
		REQUIRE(compare_runs(kit_dir(), kit_dir(), &say, NULL, &why) == 0);
		kit_shown(say.p, say.n);
	}
	json_decref(r);
	buf_free(&why);
	buf_free(&html);
	buf_free(&junit);
	buf_free(&say);
	return 0;
}
