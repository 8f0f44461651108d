# An HTTP cache before the balancer or before the shop: Varnish 7.1 or newer.
#
#   varnishd -a :6081 -f /etc/varnish/packhouse.vcl -p http_gzip_support=off -s malloc,256m
#
# shop.vcl beside this file names the shop:
#   backend shop { .host = "10.0.0.5"; .port = "8000"; .between_bytes_timeout = 60s; }
# and the shop believes this cache who a visitor is: PACKHOUSE_TRUSTED_PROXIES=<its network>.
# http_gzip_support is off because Varnish would ask for gzip alone; the shop has Brotli and zstd.

vcl 4.1;

import std;

include "shop.vcl";

sub vcl_recv {
    if (req.url ~ "^/metrics") {
        return (synth(404));
    }
    std.collect(req.http.Cookie, "; ");
    if (req.method != "GET" && req.method != "HEAD") {
        return (pass);
    }
    if (req.http.Authorization) {
        return (pass);
    }

    # Each coding is kept once, whatever else a browser lists.
    if (req.http.Accept-Encoding ~ "\bzstd\b" && req.http.Accept-Encoding !~ "q=") {
        set req.http.Accept-Encoding = "zstd, br, gzip";
    } elsif (req.http.Accept-Encoding ~ "\bbr\b" && req.http.Accept-Encoding !~ "q=") {
        set req.http.Accept-Encoding = "br, gzip";
    } elsif (req.http.Accept-Encoding ~ "\bgzip\b" && req.http.Accept-Encoding !~ "q=") {
        set req.http.Accept-Encoding = "gzip";
    } else {
        unset req.http.Accept-Encoding;
    }

    # The same for everybody, signed in or not.
    if (req.url ~ "^/(static|media|log)/"
        || req.url ~ "^/api/v1/feed(\?.*)?$"
        || req.url ~ "^/api/v1/packs(/[a-z0-9-]+)?$") {
        unset req.http.Cookie;
        return (hash);
    }
    # A page tells who is signed in, so only those without a session share one.
    if (req.url ~ "^/(feed|packs/[a-z0-9-]+)?$"
        && req.http.Cookie !~ "(^|[;,])\s*(__Host-)?packhouse_session\s*=") {
        unset req.http.Cookie;
        return (hash);
    }
    return (pass);
}

sub vcl_hit {
    set req.http.X-Cache = "hit";
}

sub vcl_miss {
    set req.http.X-Cache = "miss";
}

sub vcl_pass {
    set req.http.X-Cache = "pass";
}

sub vcl_backend_fetch {
    unset bereq.http.X-Cache;
}

sub vcl_backend_response {
    if (bereq.uncacheable) {
        return (deliver);
    }
    # The shop says what may be kept, and this holds it to that, should a page ever say both.
    if (beresp.http.Set-Cookie
        || beresp.http.Cache-Control !~ "(?i)\bpublic\b"
        || beresp.http.Cache-Control ~ "(?i)\b(private|no-store|no-cache)\b"
        || beresp.status != 200) {
        set beresp.ttl = 0s;
        set beresp.uncacheable = true;
        return (deliver);
    }
    # Others get what is a moment old while one request fetches what is new. A page may be older than
    # an answer of the API: what it lacks of the feed, its live stream brings at once.
    set beresp.grace = 2s;
    if (beresp.http.Content-Type ~ "^text/html") {
        set beresp.grace = 10s;
    }
    # They were about the one visitor who asked first.
    unset beresp.http.RateLimit-Limit;
    unset beresp.http.RateLimit-Remaining;
    unset beresp.http.RateLimit-Reset;
    unset beresp.http.X-Request-ID;
}

sub vcl_deliver {
    set resp.http.X-Cache = req.http.X-Cache;
}
