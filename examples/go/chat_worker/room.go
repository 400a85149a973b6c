package main

import (
	"fmt"
	"sync"
)

// room knows who is here, and by which gateway's stream they are reached.
type room struct {
	mutex    sync.Mutex
	outboxes map[string]outbox // by client UUID
}

func newRoom() *room {
	return &room{outboxes: map[string]outbox{}}
}

func (r *room) enter(clientUUID string, outbox outbox, resumed bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	delete(r.outboxes, clientUUID)
	others := len(r.outboxes)
	r.outboxes[clientUUID] = outbox
	// A resumed session was greeted by the worker that had it before.
	if !resumed {
		outbox.put(clientUUID, fmt.Sprintf("* welcome; %d here besides you\n", others))
		r.say(clientUUID, fmt.Sprintf("* %s came\n", name(clientUUID)))
	}
}

func (r *room) line(clientUUID string, text []byte) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.say(clientUUID, fmt.Sprintf("%s: %s", name(clientUUID), text))
}

func (r *room) leave(clientUUID string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if _, here := r.outboxes[clientUUID]; here {
		delete(r.outboxes, clientUUID)
		r.say(clientUUID, fmt.Sprintf("* %s left\n", name(clientUUID)))
	}
}

// forget is for a stream that has ended: its sessions live on, but elsewhere.
func (r *room) forget(outbox outbox) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for clientUUID, other := range r.outboxes {
		if other == outbox {
			delete(r.outboxes, clientUUID)
		}
	}
}

// say is called with the mutex held.
func (r *room) say(speaker, text string) {
	for clientUUID, outbox := range r.outboxes {
		if clientUUID != speaker {
			outbox.put(clientUUID, text)
		}
	}
}
