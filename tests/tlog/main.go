// A log as Firmiana publishes it, read by others' code alone: golang.org/x/mod/sumdb/note and tlog (Go's own checksum database), and
// github.com/transparency-dev/formats (note signatures of type cosignature/v1, checkpoints, tlog-proof). What is ours here is how they are
// put together: none of Firmiana's hashes, paths, encodings or signatures is computed by code of Firmiana's.
//
//	tlog site DIR KEYS QUORUM [OLD]   every tile and entry; QUORUM of KEYS cosigned; each entry's inclusion, and that the log goes on from
//	                                  the checkpoint OLD, proven from the tiles
//	tlog proof FILE KEYS QUORUM       a tlog-proof, whose extra data is the entry
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/transparency-dev/formats/log"
	formats "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8 // tiles of 256 hashes

// trusted is the verifiers of a file of keys, one a line.
func trusted(path string) (note.Verifiers, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var all []note.Verifier
	for line := range strings.Lines(string(text)) {
		v, err := formats.NewVerifierForCosignatureV1(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, fmt.Errorf("%s: %q: %w", path, line, err)
		}
		all = append(all, v)
	}
	return note.VerifierList(all...), nil
}

// tree is what a checkpoint says, once enough of the keys cosigned it.
func tree(text []byte, keys note.Verifiers, quorum int) (tlog.Tree, error) {
	signed, err := note.Open(text, keys)
	if err != nil {
		return tlog.Tree{}, err
	}
	if len(signed.Sigs) < quorum {
		return tlog.Tree{}, fmt.Errorf("%d of the keys cosigned, %d are needed", len(signed.Sigs), quorum)
	}
	var c log.Checkpoint
	if _, err := c.Unmarshal([]byte(signed.Text)); err != nil {
		return tlog.Tree{}, err
	}
	if !strings.HasPrefix(c.Origin, "firmiana/") {
		return tlog.Tree{}, fmt.Errorf("origin %q", c.Origin)
	}
	t := tlog.Tree{N: int64(c.Size)}
	if copy(t.Hash[:], c.Hash) != tlog.HashSize || len(c.Hash) != tlog.HashSize {
		return tlog.Tree{}, errors.New("the root is not 32 bytes long")
	}
	return t, nil
}

// site reads tiles from files: C2SP's names are those of x/mod without the height.
type site string

func (s site) Height() int                     { return height }
func (s site) SaveTiles([]tlog.Tile, [][]byte) {}
func (s site) read(t tlog.Tile) ([]byte, error) {
	name := strings.Replace(strings.Replace(t.Path(), "tile/8/data/", "tile/entries/", 1), "tile/8/", "tile/", 1)
	return os.ReadFile(filepath.Join(string(s), filepath.FromSlash(name)))
}

func (s site) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		data, err := s.read(t)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// entries are the log's, in order.
func (s site) entries(size int64) ([][]byte, error) {
	var all [][]byte
	for n := int64(0); n<<height < size; n++ {
		width := min(size-n<<height, 1<<height)
		data, err := s.read(tlog.Tile{H: height, L: -1, N: n, W: int(width)})
		if err != nil {
			return nil, err
		}
		for i := int64(0); i < width; i++ {
			if len(data) < 2 || len(data) < 2+int(data[0])<<8+int(data[1]) {
				return nil, fmt.Errorf("entries %d: cut off at entry %d", n, i)
			}
			length := int(data[0])<<8 + int(data[1])
			all = append(all, data[2:2+length])
			data = data[2+length:]
		}
		if len(data) != 0 {
			return nil, fmt.Errorf("entries %d: something stands behind the last", n)
		}
	}
	return all, nil
}

// root is the tree's over these entries, built in memory.
func root(entries [][]byte) (tlog.Hash, error) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		var out []tlog.Hash
		for _, i := range at {
			out = append(out, stored[i])
		}
		return out, nil
	})
	for i, e := range entries {
		more, err := tlog.StoredHashes(int64(i), e, reader)
		if err != nil {
			return tlog.Hash{}, err
		}
		stored = append(stored, more...)
	}
	return tlog.TreeHash(int64(len(entries)), reader)
}

func checkSite(dir string, keys note.Verifiers, quorum int, old string) error {
	text, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return err
	}
	t, err := tree(text, keys, quorum)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	s := site(dir)
	entries, err := s.entries(t.N)
	if err != nil {
		return err
	}
	if got, err := root(entries); err != nil || got != t.Hash {
		return fmt.Errorf("the root is not that of the entries (%v)", err)
	}
	tiles := tlog.TileHashReader(t, s) // each tile that it reads is held against the root
	for i, e := range entries {
		if i%(len(entries)/64+1) != 0 && i != len(entries)-1 {
			continue // a proof of each would take squares of hashes
		}
		p, err := tlog.ProveRecord(t.N, int64(i), tiles)
		if err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		if err := tlog.CheckRecord(p, t.N, t.Hash, int64(i), tlog.RecordHash(e)); err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
	}
	if err := checkTiles(s, t, tiles); err != nil {
		return err
	}
	if old == "" {
		return nil
	}
	text, err = os.ReadFile(old)
	if err != nil {
		return err
	}
	before, err := tree(text, keys, quorum)
	if err != nil {
		return fmt.Errorf("%s: %w", old, err)
	}
	p, err := tlog.ProveTree(t.N, before.N, tiles)
	if err != nil {
		return err
	}
	return tlog.CheckTree(p, t.N, t.Hash, before.N, before.Hash)
}

// checkTiles holds every tile against the tree, not only those that proofs asked for.
func checkTiles(s site, t tlog.Tree, tiles tlog.HashReader) error {
	for _, tile := range tlog.NewTiles(height, 0, t.N) {
		there, err := s.read(tile)
		if err != nil {
			return err
		}
		want, err := tlog.ReadTileData(tile, tiles)
		if err != nil || !bytes.Equal(there, want) {
			return fmt.Errorf("%s: not what the tree has there (%v)", tile.Path(), err)
		}
	}
	return nil
}

func checkProof(path string, keys note.Verifiers, quorum int) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var p proof.TLogProof
	if err := p.Unmarshal(data); err != nil {
		return err
	}
	if !bytes.Equal(p.Marshal(), data) {
		return errors.New("it is not written as it must be")
	}
	t, err := tree(p.Checkpoint, keys, quorum)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	var hashes tlog.RecordProof
	for _, h := range p.Hashes {
		hashes = append(hashes, tlog.Hash(h))
	}
	return tlog.CheckRecord(hashes, t.N, t.Hash, int64(p.Index), tlog.RecordHash(p.ExtraData))
}

func run(args []string) error {
	if len(args) < 4 || len(args) > 5 || (args[0] == "proof" && len(args) == 5) {
		return errors.New("usage: tlog site DIR KEYS QUORUM [OLD] | tlog proof FILE KEYS QUORUM")
	}
	keys, err := trusted(args[2])
	if err != nil {
		return err
	}
	quorum, err := strconv.Atoi(args[3])
	if err != nil || quorum < 1 {
		return fmt.Errorf("quorum %q", args[3])
	}
	switch args[0] {
	case "site":
		return checkSite(args[1], keys, quorum, strings.Join(args[4:], ""))
	case "proof":
		return checkProof(args[1], keys, quorum)
	}
	return fmt.Errorf("neither site nor proof: %q", args[0])
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "tlog: %v\n", err)
		os.Exit(1)
	}
}
