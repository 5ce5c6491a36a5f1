/* The style of report.html: light, dark and on paper. */
#ifndef INTEROP_REPORT_STYLE_H
#define INTEROP_REPORT_STYLE_H

static const char report_style[] =
    ":root{color-scheme:light dark;--ink:#1a1c1e;--paper:#fff;--line:#c5c9cf;--soft:#f3f4f6;--quiet:#555b63;"
    "--passed:#0b6b2d;--failed:#a3121f;--notrun:#735200;--link:#0b4f9e}\n"
    "@media (prefers-color-scheme:dark){:root{--ink:#e7e9ec;--paper:#15171a;--line:#444a52;--soft:#20242a;"
    "--quiet:#a9b0b9;--passed:#6fd08c;--failed:#ff8f8f;--notrun:#e6bd5c;--link:#8fbcff}}\n"
    "*{box-sizing:border-box}\n"
    "body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:0 auto;padding:1.5rem;"
    "max-width:68rem;overflow-wrap:anywhere}\n"
    "h1{font-size:1.9rem;line-height:1.2;margin:0 0 .3rem}\n"
    "h2{font-size:1.35rem;margin:2.4rem 0 .6rem;border-bottom:2px solid var(--line);padding-bottom:.2rem}\n"
    "h3{font-size:1.05rem;margin:1.6rem 0 .3rem}\n"
    "p{margin:.4rem 0}\na{color:var(--link)}\n"
    "table{border-collapse:collapse;width:100%;margin:.6rem 0}\n"
    "caption{text-align:left;color:var(--quiet);padding:.2rem 0}\n"
    "th,td{border:1px solid var(--line);padding:.35rem .55rem;text-align:left;vertical-align:top}\n"
    "thead th{background:var(--soft)}\n"
    "td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\n"
    "td.v,th.v{white-space:nowrap}\n"
    "code{font:.86em/1.4 ui-monospace,monospace}\n"
    ".sum{font-size:1.2rem;border:2px solid;border-radius:.4rem;padding:.7rem 1rem;margin:1rem 0}\n"
    ".passed{color:var(--passed)}.failed{color:var(--failed)}.not-run{color:var(--notrun)}\n"
    ".passed,.failed,.not-run{font-weight:600}\n"
    ".quiet{color:var(--quiet);font-weight:400}\n"
    ".case{border-top:1px solid var(--line);padding-top:.3rem}\n"
    "nav ul{columns:2;padding-left:1.2rem}\n"
    "@media (max-width:40rem){body{padding:.8rem}nav ul{columns:1}th,td{padding:.25rem .35rem}}\n"
    "@media print{:root{color-scheme:light;--ink:#000;--paper:#fff;--line:#888;--soft:#eee;--quiet:#333;"
    "--passed:#064d1f;--failed:#8a0f1a;--notrun:#5c4100;--link:#000}body{font-size:10pt;max-width:none;padding:0}"
    "nav{display:none}a{text-decoration:none}tr{break-inside:avoid}thead{display:table-header-group}"
    "h2,h3{break-after:avoid}@page{margin:18mm 15mm}}\n";

#endif
