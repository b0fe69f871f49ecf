// RATE TABLE  how fast something may come: in total, and from one key (an address). Pure: the clock is an argument.
//
//   take(key, now) --> the key's bucket --> the bucket of all --> granted
//
// Safe to use from any thread. Bounded: what is kept of a key is one point in time, and it is forgotten when its bucket
// is full again. With more than `keys_max` keys in one refill the oldest are forgotten early, that is forgiven: whoever
// has that many addresses is stopped by the bucket of all, and a bucket shared by strangers would let one starve the
// others.
#pragma once

#include "core/errc.hpp"
#include "core/string_hash.hpp"
#include "core/throttle.hpp"

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace headway {

struct token_rate {
  double per_second = 0; ///< 0: no limit
  double burst = 1;      ///< tokens of a full bucket, at least 1
};

class rate_table {
public:
  rate_table(token_rate total, token_rate per_key, std::size_t keys_max = 65'536);

  /// Takes a token of the key and one of all, or none. An empty key takes one of all only.
  /// @returns rate_limited: the key's bucket is empty; overloaded: the bucket of all is.
  result<void> take(std::string_view key, steady_time now);

  /// Whether the key's bucket has a token; takes none.
  bool has(std::string_view key, steady_time now) const;

  /// Keys that are remembered.
  std::size_t keys() const;

private:
  /// A bucket is the time when it is full again; each token taken moves it on by `step`.
  struct refill {
    explicit refill(token_rate rate);
    /// When the bucket is full again after one more token. None left where that is more than `whole` from now.
    steady_time after_one(steady_time full_at, steady_time now) const { return std::max(full_at, now) + step; }
    bool allows(steady_time after, steady_time now) const { return after - now <= whole; }

    bool limited;
    steady_time::duration step{};  ///< until one token has come back
    steady_time::duration whole{}; ///< until an empty bucket is full
  };
  using buckets = std::unordered_map<std::string, steady_time, string_hash, std::equal_to<>>;

  steady_time full_at(std::string_view key) const;
  void put(std::string_view key, steady_time full_at, steady_time now);

  const refill total_;
  const refill per_key_;
  const std::size_t young_max_;
  mutable std::mutex mutex_;
  steady_time total_full_at_{};
  buckets young_; ///< touched since `young_since_`
  buckets old_;   ///< last touched before; full, or nearly, when `young_` takes its place
  steady_time young_since_{};
};

} // namespace headway
