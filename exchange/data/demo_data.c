#include "exchange/data/demo_data.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "exchange/data/date.h"

/* ---- numbers ---- */

/* splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014). */
struct dice {
    uint64_t state;
};

static uint64_t roll(struct dice *dice)
{
    uint64_t z = dice->state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Independent dice for each (seed, who, what), so that a bank's rows do not depend on the others'.
 */
static struct dice dice_for(uint64_t seed, uint64_t who, uint64_t what)
{
    struct dice dice = {seed};

    dice.state = roll(&dice) ^ who;
    dice.state = roll(&dice) ^ what;
    (void)roll(&dice);
    return dice;
}

/* 0..n-1; the bias of the remainder is far below what a demo could show. */
static uint64_t below(struct dice *dice, uint64_t n)
{
    return roll(dice) % n;
}

/* Many small and few large ones: the number of binary digits is even, then the digits are. */
static uint64_t skewed(struct dice *dice, unsigned least_bits, unsigned most_bits)
{
    unsigned bits = least_bits + (unsigned)below(dice, most_bits - least_bits + 1);

    return (uint64_t)1 << bits | below(dice, (uint64_t)1 << bits);
}

/* The place of the first weight that the die falls under; weights add up to 100. */
static unsigned choose(struct dice *dice, const unsigned char *weights)
{
    uint64_t die = below(dice, 100);
    unsigned i = 0;

    while (die >= weights[i])
        die -= weights[i++];
    return i;
}

/* ---- people ---- */

#define SUBJECTS 10000000 /* as many as cn_id tells apart */

struct person {
    int64_t subject_id;
    char cn_id[19];
    unsigned risk; /* 0 pays, 1 is late, 2 does not pay */
};

/* GB 11643: weights 2^(17-i) modulo 11 over the first 17 digits; the check digit of ten is X. */
static char check_digit(const char *digits17)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < 17; i++)
        sum = (sum + (unsigned)(digits17[i] - '0')) * 2 % 11;
    return "10X98765432"[sum];
}

static void put_digits(char *out, uint64_t number, unsigned width)
{
    while (width-- > 0) {
        out[width] = (char)('0' + number % 10);
        number /= 10;
    }
}

static void make_person(struct person *out, uint64_t seed, uint64_t n)
{
    static const unsigned char risks[] = {80, 15, 5};
    struct dice shift = dice_for(seed, 0, 0), dice = dice_for(seed, n, 1);
    uint64_t id_shift = roll(&shift) % 90000000, code_shift = roll(&shift) % SUBJECTS;
    /* Multipliers without a common factor with the moduli: different people, different numbers. */
    uint64_t code = (n * 7654321 + code_shift) % SUBJECTS;
    int year, month, day;
    int64_t born;

    out->subject_id = (int64_t)(10000000 + (n * 48271013 + id_shift) % 90000000);
    born = -7305 + (int64_t)below(&dice, 20000); /* 1950 to 2004 */
    data_date_to_civil(&year, &month, &day, born);
    /* Division 99xxxx, day of birth, serial number: seventeen digits. */
    put_digits(out->cn_id, 99, 2);
    put_digits(out->cn_id + 2, code / 1000, 4);
    put_digits(out->cn_id + 6, (uint64_t)(year * 10000 + month * 100 + day), 8);
    put_digits(out->cn_id + 14, code % 1000, 3);
    out->cn_id[17] = check_digit(out->cn_id);
    out->cn_id[18] = '\0';
    out->risk = choose(&dice, risks);
}

int64_t data_demo_subject(uint64_t seed)
{
    struct person person;

    make_person(&person, seed, 0);
    return person.subject_id;
}

/* ---- loans ---- */

enum product { MORTGAGE, CONSUMER, CARD, AUTO, BUSINESS };

static const struct {
    const char *name;
    unsigned least_bits, most_bits; /* of the balance in cents */
    unsigned rate_bp;
} products[] = {
    [MORTGAGE] = {"mortgage", 23, 27, 310}, [CONSUMER] = {"consumer", 15, 21, 720},
    [CARD] = {"card", 10, 19, 1560},        [AUTO] = {"auto", 19, 22, 480},
    [BUSINESS] = {"business", 20, 27, 540},
};

static void put_cents(FILE *f, uint64_t cents)
{
    struct data_type type = {.kind = DATA_DECIMAL, .precision = 12, .scale = 2};
    char text[DATA_VALUE_TEXT];

    data_value_format(text, &type, (int64_t)cents);
    (void)fprintf(f, "%s,", text);
}

/* Days overdue of an open loan, by the risk of the person; -1: not reported. */
static int overdue(struct dice *dice, unsigned risk)
{
    if (below(dice, 100) < 8)
        return -1;
    if (risk == 0)
        return below(dice, 100) < 94 ? 0 : (int)(1 + below(dice, 29));
    if (risk == 1)
        return below(dice, 100) < 50 ? 0 : (int)(1 + below(dice, 89));
    return (int)(60 + below(dice, 60) * below(dice, 31));
}

static void put_loan(FILE *f, struct dice *dice, const struct person *person, uint64_t loan_no,
                     bool stays_open)
{
    static const unsigned char mix[] = {15, 35, 30, 12, 8};
    static const struct data_type date = {.kind = DATA_DATE};
    enum product product = (enum product)choose(dice, mix);
    uint64_t balance = skewed(dice, products[product].least_bits, products[product].most_bits);
    bool closed = below(dice, 100) < 22 && !stays_open;
    int late = overdue(dice, person->risk);
    char opened[DATA_VALUE_TEXT];

    data_value_format(opened, &date, 12784 + (int64_t)below(dice, 7850)); /* 2005 to mid-2026 */
    (void)fprintf(f, "%lld,%s,%llu,%s,", (long long)person->subject_id, person->cn_id,
                  (unsigned long long)loan_no, products[product].name);
    put_cents(f, closed ? 0 : balance);
    if (product == MORTGAGE || product == AUTO)
        put_cents(f, balance + balance * below(dice, 80) / 100);
    else
        (void)fputs(below(dice, 2) == 0 ? "," : "NA,", f); /* both spellings of NULL */
    if (late >= 0)
        (void)fprintf(f, "%d", closed ? 0 : late);
    (void)fprintf(f, ",%u,%s,%s\n",
                  products[product].rate_bp + (unsigned)below(dice, 400) + 150 * person->risk,
                  opened, closed ? "true" : "false");
}

/* Person after person: each is a client of about every second bank, with one to four loans there.
 * Person 0 is a client of all. */
static void put_loans(FILE *f, const struct data_demo *demo, unsigned bank)
{
    static const unsigned char loans[] = {60, 25, 10, 5};
    struct person person;
    uint32_t rows = 0;

    (void)fputs("subject_id,cn_id,loan_no,product,balance,collateral,overdue_days,rate_bp,opened,"
                "closed\n",
                f);
    for (uint64_t n = 0; rows < demo->rows && !ferror(f); n++) {
        struct dice dice = dice_for(demo->seed, n, 2 + bank);
        unsigned count = choose(&dice, loans) + 1;
        if (below(&dice, 2) == 0 && n > 0)
            continue;
        make_person(&person, demo->seed, n);
        for (unsigned i = 0; i < count && rows < demo->rows; i++, rows++)
            put_loan(f, &dice, &person, 1000000000u * (uint64_t)(bank + 1) + rows,
                     n == 0 && i == 0);
    }
}

/* ---- files ---- */

fm_status data_demo_schema(struct data_schema *out, uint32_t rows, struct base_err *err)
{
    static const char text[] =
        "{\"columns\":["
        "{\"name\":\"subject_id\",\"type\":\"INTEGER\",\"range\":[10000000,99999999]},"
        "{\"name\":\"cn_id\",\"type\":\"TEXT(18)\"},"
        "{\"name\":\"loan_no\",\"type\":\"INTEGER\",\"range\":[1000000000,99999999999]},"
        "{\"name\":\"product\",\"type\":\"TEXT(12)\"},"
        "{\"name\":\"balance\",\"type\":\"DECIMAL(12,2)\",\"range\":[\"0\",\"5000000\"]},"
        "{\"name\":\"collateral\",\"type\":\"DECIMAL(12,2)\",\"range\":[\"0\",\"10000000\"],"
        "\"nullable\":true},"
        "{\"name\":\"overdue_days\",\"type\":\"INTEGER\",\"range\":[0,3650],\"nullable\":true},"
        "{\"name\":\"rate_bp\",\"type\":\"INTEGER\",\"range\":[0,2400]},"
        "{\"name\":\"opened\",\"type\":\"DATE\",\"range\":[\"2000-01-01\",\"2035-12-31\"]},"
        "{\"name\":\"closed\",\"type\":\"BOOLEAN\"}],"
        "\"subject\":{\"column\":\"subject_id\",\"scheme\":\"demo.id\"},"
        "\"max_rows_per_subject\":4,\"rows\":64,\"version\":1,"
        "\"keys\":[{\"column\":\"subject_id\",\"max_rows\":4},"
        "{\"column\":\"cn_id\",\"max_rows\":4},{\"column\":\"loan_no\",\"max_rows\":1}]}";
    json_t *json = NULL;
    fm_status st = base_json_parse(&json, text, sizeof text - 1, err);

    memset(out, 0, sizeof *out);
    if (st != FM_OK)
        return st;
    st = data_schema_from_json(out, json, err);
    json_decref(json);
    if (st == FM_OK)
        out->rows = ((int64_t)rows + rows / 4 + 63) / 64 * 64;
    return st;
}

struct paths {
    char csv[1024], schema[1024], db[1024];
};

static fm_status name_files(struct paths *out, const struct data_demo *demo, unsigned bank,
                            struct base_err *err)
{
    if (strlen(demo->folder) > sizeof out->csv - 32)
        return base_err_set(err, FM_E_ARG, "demo data: the folder's name is too long");
    (void)snprintf(out->csv, sizeof out->csv, "%s/bank_%c.csv", demo->folder, 'a' + bank);
    (void)snprintf(out->schema, sizeof out->schema, "%s/bank_%c.schema.json", demo->folder,
                   'a' + bank);
    (void)snprintf(out->db, sizeof out->db, "%s/bank_%c.db", demo->folder, 'a' + bank);
    return FM_OK;
}

static fm_status refuse_existing(const struct paths *paths, struct base_err *err)
{
    const char *all[] = {paths->csv, paths->schema, paths->db};

    for (size_t i = 0; i < 3; i++)
        if (access(all[i], F_OK) == 0)
            return base_err_set(err, FM_E_CONFLICT,
                                "%s: it exists already: remove it, or choose another folder",
                                all[i]);
    return FM_OK;
}

static fm_status write_csv(const char *path, const struct data_demo *demo, unsigned bank,
                           struct base_err *err)
{
    FILE *f = fopen(path, "w");
    fm_status st = FM_OK;

    if (f == NULL)
        return base_err_errno(err, path);
    put_loans(f, demo, bank);
    if (ferror(f) != 0)
        st = base_err_errno(err, path);
    if (fclose(f) != 0 && st == FM_OK)
        st = base_err_errno(err, path);
    if (st != FM_OK)
        (void)unlink(path);
    return st;
}

static fm_status write_schema(const char *path, const struct data_schema *schema,
                              struct base_err *err)
{
    struct base_buf text = {0};
    json_t *json = NULL;
    fm_status st = data_schema_to_json(&json, schema, err);

    if (st == FM_OK)
        st = base_json_canonical(&text, json, err);
    base_buf_put_str(&text, "\n");
    if (st == FM_OK)
        st = base_buf_status(&text, path, err);
    if (st == FM_OK)
        st = base_file_write(path, text.p, text.len, 0644, err);
    json_decref(json);
    base_buf_release(&text);
    return st;
}

static fm_status write_bank(const struct data_demo *demo, const struct data_schema *schema,
                            unsigned bank, struct base_err *err)
{
    struct data_import_result result;
    struct paths paths;
    struct data_import job = {.csv_path = paths.csv,
                              .separator = ',',
                              .db_path = paths.db,
                              .table = DATA_DEMO_TABLE,
                              .schema = schema,
                              .mode = demo->mode};
    fm_status st = name_files(&paths, demo, bank, err);

    if (st == FM_OK && demo->mode == DATA_IMPORT_NEW)
        st = refuse_existing(&paths, err);
    if (st == FM_OK)
        st = write_csv(paths.csv, demo, bank, err);
    if (st == FM_OK)
        st = write_schema(paths.schema, schema, err);
    if (st == FM_OK)
        st = data_import(&result, &job, err);
    if (st == FM_OK)
        data_import_release(&result);
    return st;
}

fm_status data_demo_write(const struct data_demo *demo, struct base_err *err)
{
    struct data_schema schema;
    fm_status st;

    if (demo->banks < 1 || demo->banks > DATA_DEMO_BANKS_MAX)
        return base_err_set(err, FM_E_ARG, "demo data: 1 to %d banks are possible",
                            DATA_DEMO_BANKS_MAX);
    if (demo->rows < 1 || demo->rows > DATA_DEMO_ROWS_MAX)
        return base_err_set(err, FM_E_ARG, "demo data: 1 to %d rows a bank are possible",
                            DATA_DEMO_ROWS_MAX);
    if (mkdir(demo->folder, 0777) != 0 && errno != EEXIST)
        return base_err_errno(err, demo->folder);
    st = data_demo_schema(&schema, demo->rows, err);
    if (st != FM_OK)
        return st;
    for (unsigned bank = 0; st == FM_OK && bank < demo->banks; bank++)
        st = write_bank(demo, &schema, bank, err);
    data_schema_release(&schema);
    return st;
}
