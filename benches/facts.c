#include "benches/facts.h"

#include <stdint.h>

#include "benches/table.h"

const char facts_group_sql[] =
    "SELECT g, COUNT(*) AS n, SUM(v) AS total FROM facts GROUP BY g ORDER BY g";
const char facts_join_sql[] = "SELECT r, COUNT(*) AS n, SUM(v) AS total FROM facts JOIN dims ON "
                              "facts.k = dims.k GROUP BY r ORDER BY r";

/* splitmix64 of the row. */
static uint64_t draw(uint64_t row)
{
    uint64_t z = (row + 1) * 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void put_facts(FILE *f, const void *arg)
{
    long long n = *(const long long *)arg;

    (void)fputs("k,g,v\n", f);
    for (long long i = 0; i < n; i++) {
        uint64_t z = draw((uint64_t)i);

        (void)fprintf(f, "%llu,%llu,%llu\n", (unsigned long long)(z % (uint64_t)(n / 10)),
                      (unsigned long long)(z >> 40) % 1000, (unsigned long long)(z >> 20) % 10000);
    }
}

static void put_dims(FILE *f, const void *arg)
{
    long long n = *(const long long *)arg / 10;

    (void)fputs("k,r\n", f);
    for (long long i = 0; i < n; i++)
        (void)fprintf(f, "%lld,%llu\n", i, (unsigned long long)draw((uint64_t)i) % 100);
}

fm_status facts_write(const char *folder, long long n, long long rows[2], struct base_err *err)
{
    char key[512], unique[512];
    const struct bench_table tables[2] = {{0, "facts", key, n, put_facts, &n},
                                          {1, "dims", unique, n / 10, put_dims, &n}};
    fm_status st = FM_OK;

    if (n < 640 || n > 100000000)
        return base_err_set(err, FM_E_ARG, "640 to 10^8 rows, not %lld", n);
    (void)snprintf(key, sizeof key,
                   "\"columns\":[{\"name\":\"k\",\"type\":\"INTEGER\",\"range\":[0,%lld]},"
                   "{\"name\":\"g\",\"type\":\"INTEGER\",\"range\":[0,999]},"
                   "{\"name\":\"v\",\"type\":\"INTEGER\",\"range\":[0,9999]}]",
                   n / 10 - 1);
    (void)snprintf(unique, sizeof unique,
                   "\"columns\":[{\"name\":\"k\",\"type\":\"INTEGER\",\"range\":[0,%lld]},"
                   "{\"name\":\"r\",\"type\":\"INTEGER\",\"range\":[0,99]}],"
                   "\"keys\":[{\"column\":\"k\",\"max_rows\":1}]",
                   n / 10 - 1);
    for (size_t i = 0; st == FM_OK && i < 2; i++)
        st = bench_table_write(folder, &tables[i], &rows[i], err);
    return st;
}
