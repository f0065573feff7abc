ed25519 ae4a7854f16ba2a7 XK+h+1/QGWdx65nEq/tlMljqmh4obtLd/CZdAIRTl+dAdIpUcgqoDlAVWylwjlODAyS6+hwFXhlFXjzVxvYlCQ==
