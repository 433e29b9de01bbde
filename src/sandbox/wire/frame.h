#pragma once

// Frames on a stream socket: four bytes of length, little-endian, and as many bytes. For the process in the
// sandbox, which does nothing but wait for the next one; the server's end has deadlines (broker/worker.h).

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/message.h"

namespace holdfast::sandbox {

inline constexpr std::size_t kFrameHeadBytes = 4;
// A request or reply at its limits.
inline constexpr std::size_t kMostFrameBytes = kMostInputBytes + kMostCodeBytes + kMostLogBytes + (1U << 20);

std::string frame(std::string_view bytes);
// Of the four bytes at the front.
std::size_t frame_size(std::string_view head);

// Blocking. False: the other end is gone, or sent what is no frame.
bool read_frame(int file, std::string& bytes);
bool write_frame(int file, std::string_view bytes);

}  // namespace holdfast::sandbox
