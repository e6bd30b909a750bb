struct wire {
    uint8_t kind;
    uint32_t length;
    uint16_t check;
};
uint32_t measure(struct wire wire, const struct wire *other);
