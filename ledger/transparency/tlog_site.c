/* What tests/tlog.sh gives to others' code: the test log, published at one size after another, with
 * a proof of an entry and what was published before.
 * usage: tlog_site DIR SIZE... writes DIR/SIZE/site, keys, old (the checkpoint of the size before)
 * and proof */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "ledger/transparency/test_site.h"
#include "ledger/transparency/tlog_proof.h"

static struct base_err err;
static struct world world;
static struct ledger_tlog_proof proof;
static struct ledger_checkpoint before;

static fm_status put(const char *dir, const char *name, struct base_buf *text)
{
    char path[512];
    fm_status st = base_buf_status(text, name, &err);

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return st == FM_OK ? base_file_write(path, text->p, text->len, 0644, &err) : st;
}

static fm_status put_keys(struct base_buf *out)
{
    struct ledger_vkey keys[SITE_MEMBERS];
    fm_status st = FM_OK;

    site_keys(keys, &world);
    for (size_t i = 0; st == FM_OK && i < SITE_MEMBERS; i++)
        st = ledger_vkey_put(out, keys[i].name, &keys[i].key, &err);
    return st;
}

static fm_status make(const char *top, uint64_t size)
{
    char dir[256], site[300];
    struct ledger_tile_report report;
    struct base_buf keys = {0}, old = {0}, text = {0};
    fm_status st;

    (void)snprintf(dir, sizeof dir, "%s/%llu", top, (unsigned long long)size);
    (void)snprintf(site, sizeof site, "%s/site", dir);
    if (mkdir(dir, 0755) != 0)
        return base_err_errno(&err, dir);
    st = site_checkpoint(&proof.checkpoint, &world, size, &err);
    if (before.size == 0)
        before = proof.checkpoint;
    if (st == FM_OK)
        st = put_keys(&keys);
    if (st == FM_OK)
        st = ledger_tiles_publish(site, &site_log, &before, base_buf_cstr(&keys), &report, &err);
    if (st == FM_OK)
        st = ledger_tiles_publish(site, &site_log, &proof.checkpoint, base_buf_cstr(&keys), &report,
                                  &err);
    if (st == FM_OK)
        st = ledger_checkpoint_encode(&old, &before, &err);
    if (st == FM_OK)
        st = ledger_tlog_prove(&proof, size * 2 / 3, &site_log, &err);
    if (st == FM_OK)
        st = ledger_tlog_proof_encode(&text, &proof, &err);
    if (st == FM_OK)
        st = put(dir, "keys", &keys);
    if (st == FM_OK)
        st = put(dir, "old", &old);
    if (st == FM_OK)
        st = put(dir, "proof", &text);
    before = proof.checkpoint;
    base_buf_release(&keys);
    base_buf_release(&old);
    base_buf_release(&text);
    return st;
}

int main(int argc, char **argv)
{
    fm_status st = argc > 2 ? FM_OK : base_err_set(&err, FM_E_ARG, "usage: tlog_site DIR SIZE...");

    world_init(&world);
    for (int i = 2; st == FM_OK && i < argc; i++)
        st = make(argv[1], strtoull(argv[i], NULL, 10));
    world_release(&world);
    if (st != FM_OK)
        (void)fprintf(stderr, "tlog_site: %s\n", err.text);
    return fm_status_exit(st);
}
