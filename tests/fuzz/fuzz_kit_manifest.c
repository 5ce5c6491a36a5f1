/* A stranger's manifest.json: no path leads elsewhere or stands twice, and no directory but its own fits it. */
#include "interop/kit/manifest.h"

#include "tests/fuzz/fuzz_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf why = {0};
	const char *before = "";
	json_t *m, *files;

	kit_file("manifest.json", data, size);
	m = manifest_read(kit_dir(), &why);
	REQUIRE(m || why.n > 0);
	files = json_object_get(m, "files");
	for (size_t i = 0; i < json_array_size(files); i++) {
		const char *path = json_string_value(json_object_get(json_array_get(files, i), "path"));

		REQUIRE(path && *path && *path != '/' && !strstr(path, "//") && !strstr(path, "/../") &&
			strncmp(path, "../", 3) != 0 && strcmp(before, path) < 0);
		kit_shown(path, strlen(path));
		before = path;
	}
	if (m)
		REQUIRE(manifest_compare(kit_dir(), m, &why) == json_array_size(files));
	json_decref(m);
	buf_free(&why);
	return 0;
}
