#pragma once

// The bugs the simulator can be given, each of which makes the engine break one promise, and which the oracle
// has to notice: else it proves nothing. They are planted in the world around the engine, at the seams where
// it meets disk, network and host; the engine itself has no switch for any of them.

#include <cstdint>

namespace holdfast::sim {

enum class PlantedBug : std::uint8_t {
  kNone,
  kAckBeforeCommit,  // answers leave before their batch is durable: the host (server.h) lets them go
  kLostDedup,        // a repeated start or signal is taken for a new one: its request id changes on the way
  kDroppedTimer,     // a timer armed before a restart is forgotten: the disk gives its run back without it
  kStaleTokenAccepted,  // an earlier attempt's answer is taken for the current one's: its token changes on
                        // the way
  kTornBatch,           // one transaction is committed in two halves, of which a crash can lose one
};

}  // namespace holdfast::sim
