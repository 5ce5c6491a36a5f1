/* The directory: a slapd of its own, anew in each init. */
#include "interop/kit/making.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void empty(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	while (d && (e = readdir(d)))
		unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

static void suffix_of(const char *domain, struct buf *out)
{
	for (const char *p = domain; *p;) {
		size_t n = strcspn(p, ".");

		buf_addf(out, "%sdc=%.*s", out->n > 0 ? "," : "", (int)n, p);
		p += n + (p[n] == '.');
	}
}

static int write_conf(struct making *m, const char *dir, const char *suffix, struct buf *why)
{
	char *path = text_make("%s/slapd.conf", dir);
	struct buf b = {0};
	int rc;

	buf_addf(&b, "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\ninclude "
		     "/etc/ldap/schema/inetorgperson.schema\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\n");
	buf_addf(&b,
	    "pidfile %s/slapd.pid\ndatabase mdb\nsuffix \"%s\"\nrootdn \"cn=root,%s\"\ndirectory %s/db\nmaxsize "
	    "134217728\nindex mail eq\naccess to * by * read\n",
	    dir, suffix, suffix, dir);
	rc = file_write(path, b.p, b.n, 0644, why);
	buf_free(&b);
	free(path);
	(void)m;
	return rc;
}

int making_directory(struct making *m, struct buf *why)
{
	char *dir = text_make("%s/ldap", m->dir), *db = text_make("%s/db", dir), *real, *conf = NULL;
	struct buf ldif = {0}, suffix = {0};
	int rc = -1;

	if (directory_make(db, why) < 0 || !(real = realpath(dir, NULL)))
		goto out;
	empty(db);
	suffix_of(m->kit->kit_domain, &suffix);
	conf = text_make("%s/slapd.conf", real);
	buf_addf(&ldif, "dn: %s\nobjectClass: domain\ndc: %.*s\n\n", suffix.p, (int)strcspn(m->kit->kit_domain, "."),
	    m->kit->kit_domain);
	if (m->ldif.n > 0)
		buf_add(&ldif, m->ldif.p, m->ldif.n);
	rc = write_conf(m, real, suffix.p, why);
	if (rc == 0 && *m->kit->ldap) {
		const char *argv[] = {"/usr/sbin/slapadd", "-q", "-f", conf, NULL};

		rc = making_run(m, real, argv, &ldif, NULL, why);
	}
	free(real);
out:
	buf_free(&ldif);
	buf_free(&suffix);
	free(conf);
	free(dir);
	free(db);
	return rc;
}
