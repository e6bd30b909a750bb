struct s {
    int x;
/* this comment does not end
