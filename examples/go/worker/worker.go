// Package worker is what every worker does the same way: Ready, Live, and starting and stopping
// the server.
package worker

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/golang/protobuf/ptypes/empty"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "gatehouse/upstreampb"
)

const (
	// How long answers that are under way may take once the worker was told to stop.
	stopGrace = 5 * time.Second
	// The gateway's own default, and grpc-go's; said here so that a change is noticed.
	messageBytesMax = 4 << 20
)

// Now is the contract's time: RFC 3339, UTC, milliseconds.
func Now() string {
	return time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
}

// Base answers Ready and Live; embed it and add BidirectionalStreaming.
type Base struct {
	// What to be sent beyond packets, for example pb.Feature_SESSION_EVENTS.
	Features []pb.Feature
}

func (b Base) Ready(context.Context, *empty.Empty) (*pb.ReadyResult, error) {
	return &pb.ReadyResult{Time: Now(), Ready: true, Features: b.Features}, nil
}

func (b Base) Live(stream pb.UpstreamPeerService_LiveServer) error {
	for {
		// One answer to each beat. The requests end when the gateway lets go of this worker.
		if _, err := stream.Recv(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := stream.Send(&pb.LiveResult{Time: Now(), Live: true}); err != nil {
			return err
		}
	}
}

// Authenticate is for workers that decide who may come in; others are never asked.
func (b Base) Authenticate(
	context.Context, *pb.AuthenticateRequest,
) (*pb.AuthenticateResult, error) {
	return nil, status.Error(codes.Unimplemented, "this worker lets nobody in")
}

// Serve runs the worker until SIGTERM or Ctrl-C.
func Serve(service pb.UpstreamPeerServiceServer, defaultPort int) {
	host := flag.String("host", "127.0.0.1", "address to listen on")
	port := flag.Int("port", defaultPort, "port to listen on; 0 picks one")
	flag.Parse()

	listener, err := net.Listen("tcp", net.JoinHostPort(*host, strconv.Itoa(*port)))
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(
		grpc.MaxRecvMsgSize(messageBytesMax), grpc.MaxSendMsgSize(messageBytesMax))
	pb.RegisterUpstreamPeerServiceServer(server, service)

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-stop
		// Tells the gateways (GOAWAY), lets calls that are under way end, and cuts what is left
		// then. Sessions go on with another worker.
		cut := time.AfterFunc(stopGrace, server.Stop)
		defer cut.Stop()
		server.GracefulStop()
	}()
	fmt.Printf("serving on %s\n", listener.Addr())
	if err := server.Serve(listener); err != nil {
		log.Fatal(err)
	}
	// Serve returns as soon as nothing new is accepted; the calls may still be under way.
	<-stopped
}
