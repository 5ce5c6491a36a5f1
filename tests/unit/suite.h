/* The end of main in a test program. Header only. */
#ifndef POSTERN_TESTS_UNIT_SUITE_H
#define POSTERN_TESTS_UNIT_SUITE_H

#include <check.h>
#include <stdlib.h>

/* Runs the suite and frees it. What main returns. */
static inline int suite_run(Suite *s)
{
	SRunner *r = srunner_create(s);
	int failed;

	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
