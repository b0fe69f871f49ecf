// QUOTA  how much is open: in total, and of one key (an address, a user).
//
//   take(key) --> place ... its last copy goes --> there is room for the next
//
// Safe to use from any thread; places may outlive the quota.
#pragma once

#include "core/errc.hpp"

#include <cstddef>
#include <memory>
#include <string_view>

namespace headway {

/// One of the places of a quota, held by whoever holds this.
using place = std::shared_ptr<void>;

class quota {
public:
  /// A maximum of 0 is no limit.
  quota(std::size_t total_max, std::size_t per_key_max);

  /// An empty key counts in the total only.
  /// @returns rate_limited: this key has all it may; overloaded: the total is reached.
  result<place> take(std::string_view key);

  /// Places that are taken.
  std::size_t total() const;
  std::size_t total(std::string_view key) const;
  /// Keys that have a place; of others nothing is remembered.
  std::size_t keys() const;

private:
  struct book;
  class ticket;
  std::shared_ptr<book> book_;
};

} // namespace headway
