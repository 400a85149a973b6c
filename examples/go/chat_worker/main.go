// chat_worker is a line chat: greets who comes, shows to the others what one types, says who left.
package main

import (
	"fmt"
	"io"

	pb "gatehouse/upstreampb"
	"gatehouse/worker"
)

// What may wait for one gateway. Beyond it lines get lost: better than a worker without memory.
const outboxMessagesMax = 10000

type chat struct {
	worker.Base
	room *room
}

func (c chat) BidirectionalStreaming(stream pb.UpstreamPeerService_BidirectionalStreamingServer) error {
	// Lines come from other gateways' sessions too, and one stream must not be sent on by two
	// goroutines at once: this one reads, another sends.
	outbox := make(outbox, outboxMessagesMax)
	sent := make(chan error, 1)
	go func() { sent <- outbox.sendAll(stream) }()

	received := c.receiveAll(stream, outbox)
	// Nobody puts anything in from here on; what was put in before still goes out.
	c.room.forget(outbox)
	close(outbox)
	if err := <-sent; err != nil {
		return err
	}
	return received
}

func (c chat) receiveAll(stream pb.UpstreamPeerService_BidirectionalStreamingServer, outbox outbox) error {
	for {
		request, err := stream.Recv()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		switch event := request.Event.(type) {
		case *pb.InputStreamRequest_Opened:
			c.room.enter(request.ClientUuid, outbox, event.Opened.Resumed)
		case *pb.InputStreamRequest_Closed:
			c.room.leave(request.ClientUuid)
		case nil:
			c.room.line(request.ClientUuid, request.Payload)
		}
	}
}

// outbox is what goes out on one gateway's stream.
type outbox chan *pb.OutputStreamRequest

func (o outbox) put(clientUUID, text string) {
	message := &pb.OutputStreamRequest{
		Target:  &pb.OutputStreamRequest_ClientUuid{ClientUuid: clientUUID},
		Payload: []byte(text),
	}
	select {
	case o <- message:
	default:
	}
}

func (o outbox) sendAll(stream pb.UpstreamPeerService_BidirectionalStreamingServer) error {
	for message := range o {
		if err := stream.Send(message); err != nil {
			return err
		}
	}
	return nil
}

// name is short, and good enough for an example.
func name(clientUUID string) string {
	return fmt.Sprintf("%.4s", clientUUID)
}

func main() {
	// To greet, the worker has to hear of a session before its client says something.
	base := worker.Base{Features: []pb.Feature{pb.Feature_SESSION_EVENTS}}
	worker.Serve(chat{Base: base, room: newRoom()}, 45888)
}
