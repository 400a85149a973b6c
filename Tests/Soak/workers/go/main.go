// The soak's worker in Go: notes what comes in a journal and answers by rule, as
// python_worker.py does; soak/payload.py and soak/journal.py have the rules and the forms.
package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"hash/crc32"
	"io"
	"log"
	"os"
	"strings"
	"sync/atomic"
	"time"

	pb "gatehouse/upstreampb"
	"gatehouse/worker"
)

const bigAnswerBytes = 32768

var incarnation = flag.Uint("incarnation", 0, "which start of which worker this is")

// A session, for as long as it is with this worker.
type stay struct {
	number, answers uint32
	next            uint64
	isCut           bool
}

type noting struct {
	worker.Base
	file    *os.File
	streams uint32
	stays   uint32
}

// One write for each record: what was written is there after kill -9.
func (w *noting) note(
	kind byte, stream, stay uint32, number uint64, session []byte, body []byte,
) {
	record := make([]byte, 0, 45+len(body))
	record = binary.BigEndian.AppendUint32(record, uint32(len(body)))
	record = append(record, kind)
	record = binary.BigEndian.AppendUint64(record, uint64(time.Now().UnixNano()))
	record = binary.BigEndian.AppendUint32(record, stream)
	record = binary.BigEndian.AppendUint32(record, stay)
	record = binary.BigEndian.AppendUint64(record, number)
	record = append(record, session...)
	record = append(record, body...)
	if _, err := w.file.Write(record); err != nil {
		log.Fatal(err)
	}
}

func (w *noting) BidirectionalStreaming(
	s pb.UpstreamPeerService_BidirectionalStreamingServer,
) error {
	stream := atomic.AddUint32(&w.streams, 1)
	nobody := make([]byte, 16)
	w.note('S', stream, 0, 0, nobody, nil)
	stays := map[string]*stay{}
	for {
		request, err := s.Recv()
		if err == io.EOF {
			w.note('E', stream, 0, 0, nobody, nil)
			w.note('F', stream, 0, 0, nobody, nil)
			return nil
		}
		if err == nil {
			err = w.request(s, stream, stays, request)
		}
		if err != nil {
			w.note('B', stream, 0, 0, nobody, nil)
			return err
		}
	}
}

func (w *noting) request(
	s pb.UpstreamPeerService_BidirectionalStreamingServer, stream uint32, stays map[string]*stay,
	request *pb.InputStreamRequest,
) error {
	id := request.ClientUuid
	session, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	if err != nil {
		return err
	}
	known := stays[id]
	opened, closed := request.GetOpened(), request.GetClosed()
	switch {
	case opened != nil && known == nil:
		known = &stay{
			number: atomic.AddUint32(&w.stays, 1), next: opened.NextSequence,
			isCut: opened.Framer == "length" || opened.Framer == "varint"}
		stays[id] = known
		fields := []string{opened.ClientAddress, opened.Account, opened.Listener, opened.Framer,
			digit(opened.Resumed), digit(opened.Unauthenticated)}
		body := []byte(strings.Join(fields, "\n"))
		w.note('O', stream, known.number, opened.NextSequence, session, body)
		return w.answer(s, known, id, session, nil, 0)
	case known == nil || request.GetAuthenticated() != nil || opened != nil:
		w.note('X', stream, 0, 0, session, request.Payload)
		return nil
	case closed != nil:
		w.note('C', stream, known.number, uint64(closed.Reason), session, nil)
		delete(stays, id)
		return nil
	}
	w.note('P', stream, known.number, known.next, session, request.Payload)
	digits := crc32.ChecksumIEEE(request.Payload)
	count := 1
	if digits%16 < 4 {
		count = []int{0, 2, 3, 2}[digits%16]
	}
	size := len(request.Payload)
	if digits>>4&31 == 0 {
		size = bigAnswerBytes
	}
	for ; count > 0; count-- {
		if err := w.answer(s, known, id, session, request.Payload, size); err != nil {
			return err
		}
	}
	known.next++
	return nil
}

func (w *noting) answer(
	s pb.UpstreamPeerService_BidirectionalStreamingServer, known *stay, id string,
	session, payload []byte, size int,
) error {
	message := make([]byte, 0, 40+size+len(payload))
	for _, number := range []uint32{
		uint32(40 + size), uint32(*incarnation), known.number, known.answers, uint32(known.next),
		uint32(len(payload)),
	} {
		message = binary.BigEndian.AppendUint32(message, number)
	}
	message = append(message, session...)
	if size > 0 {
		message = append(message, bytes.Repeat(payload, size/len(payload)+1)[:size]...)
	}
	known.answers++
	parts := [][]byte{message}
	if payload != nil && known.isCut && known.answers%4 == 0 {
		parts = [][]byte{message[:7], message[7:]}
	}
	for _, part := range parts {
		err := s.Send(&pb.OutputStreamRequest{
			Target: &pb.OutputStreamRequest_ClientUuid{ClientUuid: id}, Payload: part})
		if err != nil {
			return err
		}
	}
	return nil
}

func digit(is bool) string {
	if is {
		return "1"
	}
	return "0"
}

func main() {
	w := &noting{}
	w.Features = []pb.Feature{pb.Feature_SESSION_EVENTS}
	flag.Func("journal", "where to write what came", func(path string) (err error) {
		w.file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		return err
	})
	worker.Serve(w, 0)
}
