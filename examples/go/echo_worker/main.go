// echo_worker sends every packet back to the client it came from: the smallest worker there is.
package main

import (
	"io"

	pb "gatehouse/upstreampb"
	"gatehouse/worker"
)

type echo struct{ worker.Base }

func (echo) BidirectionalStreaming(stream pb.UpstreamPeerService_BidirectionalStreamingServer) error {
	for {
		// One call carries the packets of all sessions, each session's in order. When the requests
		// end, everything is answered already; returning ends the call, and with it a drain.
		request, err := stream.Recv()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		err = stream.Send(&pb.OutputStreamRequest{
			Target:  &pb.OutputStreamRequest_ClientUuid{ClientUuid: request.ClientUuid},
			Payload: request.Payload,
		})
		if err != nil {
			return err
		}
	}
}

func main() {
	worker.Serve(echo{}, 45888)
}
